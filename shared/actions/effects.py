"""What became of a Command to a Job or a Queue, read from the object once the controller has deleted the Command. Pure.

The controller deletes a Command after the status with its effect is stored.
"""

from typing import Final

import msgspec

from shared.actions.commands import why_no_effect
from shared.model.phases import JobAction, JobPhase, QueueAction, QueueState
from shared.model.types import Body

_SUSPENDED: Final = (JobPhase.ABORTED, JobPhase.ABORTING)
_UNFINISHED: Final = ("inqueue", "pending", "running", "unknown")


class CommandEffect(msgspec.Struct, frozen=True):
    """`done`: whether the object is now as it was asked to be; `message`: a sentence without its subject."""

    done: bool
    message: str


def effect_of(before: Body, after: Body, action: str, parent: Body | None = None) -> CommandEffect:
    """`before`, `after`: the target when the Command was sent, and after it was deleted; `parent`: that of a Queue."""
    why = why_no_effect(before, action)
    found = _job_effect(after, action) if action in tuple(JobAction) else _queue_effect(after, action, parent)
    return CommandEffect(False, why) if found.done and why else found


def _job_effect(job: Body, action: str) -> CommandEffect:
    status = job.get("status") or {}
    phase = str((status.get("state") or {}).get("phase") or JobPhase.PENDING)
    if action == JobAction.ABORT_JOB and phase == JobPhase.ABORTED:
        return CommandEffect(True, "suspended")
    if action == JobAction.ABORT_JOB and phase == JobPhase.ABORTING:
        return CommandEffect(True, "being suspended: not all of its pods have ended yet")
    if action == JobAction.RESUME_JOB and phase not in _SUSPENDED:
        return CommandEffect(True, f"resumed: it is {phase}")
    return CommandEffect(False, why_no_effect(job, action) or f"the Job is {phase}")


def _queue_effect(queue: Body, action: str, parent: Body | None) -> CommandEffect:
    status = queue.get("status") or {}
    state = str(status.get("state") or QueueState.OPEN)
    if action == QueueAction.OPEN_QUEUE:
        if state == QueueState.OPEN:
            return CommandEffect(True, "open")
        above = str(((parent or {}).get("status") or {}).get("state") or QueueState.OPEN)
        if parent is not None and above != QueueState.OPEN:
            return CommandEffect(False, f"its parent {parent['metadata']['name']} is {above}; open that first")
        return CommandEffect(False, f"the Queue is {state}")
    if state == QueueState.CLOSED:
        return CommandEffect(True, "closed")
    if state == QueueState.CLOSING:
        count = sum(int(status.get(name) or 0) for name in _UNFINISHED)
        groups = "1 PodGroup has" if count == 1 else f"{count} PodGroups have"
        return CommandEffect(True, f"closing: it accepts no more Jobs; {groups} not ended yet")
    root = queue["metadata"]["name"] == "root"
    return CommandEffect(False, "queue root cannot be closed" if root else f"the Queue is {state}")
