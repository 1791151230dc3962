"""Decides JobTemplate.status.jobDependsOnList: the names of the Jobs that were created from a template.

The list also follows deletions of Jobs (docs/design/volcano-behaviour.md, section 6.2).
"""

from collections.abc import Iterable
from typing import Final

from controller.decision import Decision
from shared.model.types import Body
from shared.names import MAX_FLOW_JOBS

INTERVAL_SECONDS: Final = 1.0
NAMES_PER_SECOND: Final = 500  # long lists are written less often, so that the bytes per second stay the same


def decide(template: Body, jobs: Iterable[str], written_ago: float) -> Decision:
    """Write the sorted names of `jobs` if they differ from the stored ones and the last write is long enough ago.

    `written_ago`: seconds of a monotonic clock since the last write; infinite for never. The list has at most 10 000
    names. A template that is being deleted is left alone.
    """
    if "deletionTimestamp" in template["metadata"]:
        return Decision()
    names = sorted(jobs)[:MAX_FLOW_JOBS]
    status = template.get("status") or {}
    if names == list(status.get("jobDependsOnList") or ()):
        return Decision()
    pause = max(INTERVAL_SECONDS, len(names) / NAMES_PER_SECOND) - written_ago
    if pause > 0:
        return Decision(requeue_after=pause)
    rest = {key: value for key, value in status.items() if key != "jobDependsOnList"}
    return Decision(status={**rest, "jobDependsOnList": names} if names else rest)
