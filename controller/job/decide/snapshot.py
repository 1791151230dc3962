"""The Job at one moment of deciding: what was seen, what is recorded, and what both come to."""

from collections.abc import Mapping

import msgspec

from controller.job.decide.defaults import Wanted
from controller.job.decide.record import Ledger
from controller.job.observe.observed import JobSeen
from controller.job.observe.pod_counts import Tally
from controller.job.observe.pods_by_role import View


class Situation(msgspec.Struct, frozen=True):
    """`lost`: tasks that will never start -> the failed task that is the reason."""

    seen: JobSeen
    ledger: Ledger
    wanted: Wanted
    view: View
    counts: Tally
    lost: Mapping[str, str] = {}
