"""What the schedule engine sees, the same for CronJob and CronJobFlow. All times are whole seconds since 1970."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

import msgspec

from shared.cron import Timetable
from shared.model.schedules.common import ConcurrencyPolicy

DEFAULT_SUCCESSFUL_LIMIT: Final = 3
DEFAULT_FAILED_LIMIT: Final = 1


class RunState(StrEnum):
    """The state of a child."""

    ACTIVE = "Active"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class ScheduledRun(msgspec.Struct, frozen=True):
    """A child of the schedule. `due`: the time it was created for; `deleting`: it has a deletionTimestamp."""

    name: str
    uid: str
    due: int
    state: RunState
    phase: str = ""
    outcome: str = ""
    completed: int | None = None
    deleting: bool = False


class WhenAnswer(msgspec.Struct, frozen=True):
    """What the condition of a schedule says about a due time. `problem`: why it could not be evaluated."""

    holds: bool
    problem: str = ""


class ScheduleRules(msgspec.Struct, frozen=True):
    """The spec with absent read as default.

    `keeps_backlog`: CronJobFlow. Every due time is decided once: started, put into the backlog, missed or skipped, and
    recorded so. Without it (CronJob) the newest time since the last start is due until it has started, as in Kubernetes.
    `problem`: why the schedule cannot be followed, or ''; `needs_edit`: nothing but an edit of the schedule ends it.
    """

    timetable: Timetable
    policy: ConcurrencyPolicy = ConcurrencyPolicy.ALLOW
    deadline: int | None = None
    suspended: bool = False
    end: int | None = None
    jitter: int = 0
    catch_up: int = 1
    newest_first: bool = False
    keeps_backlog: bool = False
    successful_limit: int = DEFAULT_SUCCESSFUL_LIMIT
    failed_limit: int = DEFAULT_FAILED_LIMIT
    when: Callable[[int, int | None, ScheduledRun | None], WhenAnswer] | None = None
    problem: str = ""
    needs_edit: bool = False


class ScheduleState(msgspec.Struct, frozen=True):
    """What is recorded in status.

    `considered`: every due time up to here has been decided; `last`: the newest time that started.
    """

    considered: int
    last: int | None = None
    last_success: int | None = None
    backlog: tuple[int, ...] = ()
    missed: int = 0
    skipped_suspended: int = 0
    skipped_forbidden: int = 0
    skipped_condition: int = 0
    last_run: ScheduledRun | None = None


class ScheduleSeen(msgspec.Struct, frozen=True):
    """Everything a decision may look at.

    `uid`: of the schedule; the jitter of a time follows from both. `name`: of the schedule; the names of its children
    follow from both. `refused`: names of children that the API server has just refused; they are tried again later.
    """

    uid: str
    rules: ScheduleRules
    state: ScheduleState
    runs: tuple[ScheduledRun, ...] = ()
    refused: frozenset[str] = frozenset()
    name: str = ""

    @property
    def active(self) -> tuple[ScheduledRun, ...]:
        """Runs that have not ended, those that are being deleted included."""
        return tuple(run for run in self.runs if run.state is RunState.ACTIVE)


class ScheduleEvent(msgspec.Struct, frozen=True):
    """An Event to record on the schedule."""

    reason: str
    message: str
    warning: bool = False


class SchedulePlan(msgspec.Struct, frozen=True):
    """What to do: delete runs, create runs for due times, store the state, and look again at `wake` (or never).

    `started`: the times that the new state records as started: `starts`, and those whose child exists already.
    """

    state: ScheduleState
    starts: tuple[int, ...] = ()
    started: tuple[int, ...] = ()
    replaced: tuple[ScheduledRun, ...] = ()
    pruned: tuple[ScheduledRun, ...] = ()
    events: tuple[ScheduleEvent, ...] = ()
    upcoming: tuple[int, ...] = ()
    wake: int | None = None
