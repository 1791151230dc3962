"""The Job at one moment of deciding: what was seen, what is recorded, and what both come to."""

from collections.abc import Mapping

import msgspec

from controller.job.ledger import Ledger
from controller.job.seen import JobSeen
from controller.job.spec import Wanted
from controller.job.tally import Tally
from controller.job.view import View


class Situation(msgspec.Struct, frozen=True):
    """`lost`: tasks that will never start -> the failed task that is the reason."""

    seen: JobSeen
    ledger: Ledger
    wanted: Wanted
    view: View
    counts: Tally
    lost: Mapping[str, str] = {}
