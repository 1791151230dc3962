"""The result of a Command to a Job or a Queue, read from the object once the controller has deleted the Command. Pure.

The controller deletes a Command after the status with its effect is stored.
"""

from typing import Final

import msgspec

from shared.actions.commands import why_no_effect
from shared.model.phases import JobAction, JobPhase, QueueAction, QueueState
from shared.model.types import Body

_SUSPENDED: Final = (JobPhase.ABORTED, JobPhase.ABORTING)
_UNFINISHED: Final = ("inqueue", "pending", "running", "unknown")


class ObservedEffect(msgspec.Struct, frozen=True):
    """`done`: whether the object now has the requested state; `message`: a sentence without its subject."""

    done: bool
    message: str


def effect_of(before: Body, after: Body, action: str, parent: Body | None = None) -> ObservedEffect:
    """`before`, `after`: the target when the Command was sent, and after it was deleted; `parent`: that of a Queue."""
    why = why_no_effect(before, action)
    found = _job_effect(after, action) if action in tuple(JobAction) else _queue_effect(after, action, parent)
    return ObservedEffect(False, why) if found.done and why else found


def _job_effect(job: Body, action: str) -> ObservedEffect:
    status = job.get("status") or {}
    phase = str((status.get("state") or {}).get("phase") or JobPhase.PENDING)
    if action == JobAction.ABORT_JOB and phase == JobPhase.ABORTED:
        return ObservedEffect(True, "suspended")
    if action == JobAction.ABORT_JOB and phase == JobPhase.ABORTING:
        return ObservedEffect(True, "being suspended: not all of its pods have ended yet")
    if action == JobAction.RESUME_JOB and phase not in _SUSPENDED:
        return ObservedEffect(True, f"resumed: it is {phase}")
    return ObservedEffect(False, why_no_effect(job, action) or f"the Job is {phase}")


def _queue_effect(queue: Body, action: str, parent: Body | None) -> ObservedEffect:
    status = queue.get("status") or {}
    state = str(status.get("state") or QueueState.OPEN)
    if action == QueueAction.OPEN_QUEUE:
        if state == QueueState.OPEN:
            return ObservedEffect(True, "open")
        above = str(((parent or {}).get("status") or {}).get("state") or QueueState.OPEN)
        if parent is not None and above != QueueState.OPEN:
            return ObservedEffect(False, f"its parent {parent['metadata']['name']} is {above}; open that first")
        return ObservedEffect(False, f"the Queue is {state}")
    if state == QueueState.CLOSED:
        return ObservedEffect(True, "closed")
    if state == QueueState.CLOSING:
        count = sum(int(status.get(name) or 0) for name in _UNFINISHED)
        what = "1 PodGroup has" if count == 1 else f"{count} PodGroups have" if count else "queues below it have"
        return ObservedEffect(
            True, f"closing: it accepts no more Jobs; {what} not {'ended' if count else 'closed'} yet"
        )
    root = queue["metadata"]["name"] == "root"
    return ObservedEffect(False, "queue root cannot be closed" if root else f"the Queue is {state}")
