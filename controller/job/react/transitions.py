"""The state machine as a table: what an action does in a phase (docs/design/volcano-behaviour.md, section 3.6;
docs/design/decisions.md, row 4, row 5 and row 13).
"""

from enum import StrEnum
from typing import Final

import msgspec

from shared.model.phases import JobAction, JobPhase


class Budget(StrEnum):
    """The budget that a transition is counted against."""

    NOTHING = "nothing"
    JOB = "job"
    TASK = "task"


class Transition(msgspec.Struct, frozen=True):
    """`to`: the phase entered; `targeted`: only the task, pod or partition of the action is replaced; `forgets`:
    results of finished pods are dropped, and everything runs again.
    """

    to: JobPhase
    budget: Budget = Budget.NOTHING
    targeted: bool = False
    forgets: bool = False


RESTART: Final = Transition(JobPhase.RESTARTING, Budget.JOB, forgets=True)
REPLACE: Final = Transition(JobPhase.RESTARTING, Budget.TASK, targeted=True)
RESUME: Final = Transition(JobPhase.RESTARTING)
ABORT: Final = Transition(JobPhase.ABORTING)
COMPLETE: Final = Transition(JobPhase.COMPLETING)
TERMINATE: Final = Transition(JobPhase.TERMINATING)

_ACTIVE: Final = {
    JobAction.RESTART_JOB: RESTART,
    JobAction.RESTART_TASK: REPLACE,
    JobAction.RESTART_POD: REPLACE,
    JobAction.RESTART_PARTITION: REPLACE,
    JobAction.ABORT_JOB: ABORT,
    JobAction.COMPLETE_JOB: COMPLETE,
    JobAction.TERMINATE_JOB: TERMINATE,
}

TRANSITIONS: Final[dict[tuple[JobPhase, JobAction], Transition]] = {
    **{
        (phase, action): transition
        for phase in (JobPhase.PENDING, JobPhase.RUNNING, JobPhase.RESTARTING)
        for action, transition in _ACTIVE.items()
    },
    (JobPhase.ABORTING, JobAction.RESUME_JOB): RESUME,
    (JobPhase.ABORTED, JobAction.RESUME_JOB): RESUME,
    # Volcano ignores TerminateJob while a Job is being aborted; here it terminates the Job.
    (JobPhase.ABORTING, JobAction.TERMINATE_JOB): TERMINATE,
}

_ON_ITS_WAY: Final = (JobPhase.COMPLETING, JobPhase.TERMINATING)
_FINISHED: Final = (JobPhase.COMPLETED, JobPhase.TERMINATED, JobPhase.FAILED)

NO_EFFECT: Final[frozenset[tuple[JobPhase, JobAction]]] = frozenset(
    {
        # nothing to resume
        (JobPhase.PENDING, JobAction.RESUME_JOB),
        (JobPhase.RUNNING, JobAction.RESUME_JOB),
        (JobPhase.RESTARTING, JobAction.RESUME_JOB),
        # an aborted Job can only be resumed
        *((JobPhase.ABORTING, action) for action in _ACTIVE if action is not JobAction.TERMINATE_JOB),
        *((JobPhase.ABORTED, action) for action in _ACTIVE),
        # an end that is decided is final
        *((phase, action) for phase in (*_ON_ITS_WAY, *_FINISHED) for action in JobAction),
    }
)

FINAL_PHASE: Final = {
    JobPhase.ABORTING: JobPhase.ABORTED,
    JobPhase.COMPLETING: JobPhase.COMPLETED,
    JobPhase.TERMINATING: JobPhase.TERMINATED,
}
"""The phase that follows once no unfinished pod is left."""
