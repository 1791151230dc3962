"""The Job at one moment of deciding: what was seen, what is recorded, and what both come to."""

from collections.abc import Mapping

import msgspec

from controller.job.decide import dependencies
from controller.job.decide.defaults import Wanted
from controller.job.decide.record import Ledger
from controller.job.observe.observed import JobSeen
from controller.job.observe.pod_counts import Tally, TaskTally, remember, tally
from controller.job.observe.pods_by_role import STOPPED, View, view


class Situation(msgspec.Struct, frozen=True):
    """`lost`: tasks that will never start -> the failed task that is the reason."""

    seen: JobSeen
    ledger: Ledger
    wanted: Wanted
    view: View
    counts: Tally
    lost: Mapping[str, str] = {}


def take(seen: JobSeen, ledger: Ledger, wants: Wanted) -> Situation:
    pods = view(seen.pods, ledger, wants)
    known = remember(pods, ledger, wants)
    counts = tally(pods, known, wants)
    if known.phase not in STOPPED:
        known = dependencies.released(known, pods, counts, wants)
    return Situation(seen, known, wants, pods, counts, dependencies.blocked(known, counts, wants))


def with_created(now: Situation, made: Mapping[str, frozenset[int]]) -> Situation:
    """With the pods that are about to be created counted as Pending."""
    counts, ledger = dict(now.counts), now.ledger
    for task, indexes in made.items():
        count: TaskTally = counts[task]
        missing = tuple(index for index in count.missing if index not in indexes)
        counts[task] = msgspec.structs.replace(count, pending=count.pending + len(indexes), missing=missing)
        ledger = ledger.with_task(task, created=ledger.task(task).created | indexes)
    return msgspec.structs.replace(now, counts=counts, ledger=ledger)
