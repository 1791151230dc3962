"""The hub of all watches, with what is kept of the objects of each kind."""

from shared.kinds import JOB, JOBFLOW
from web.cluster.interned import Interned
from web.cluster.live_hub import LiveHub
from web.views.flows.listing import flow_row
from web.views.job_page import job_row


def live_hub() -> LiveHub:
    return LiveHub({JOBFLOW: Interned(flow_row), JOB: Interned(job_row)})
