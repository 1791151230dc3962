"""Which policy answers to what happened: task before job, first match in list order (volcano-behaviour.md 3.5)."""

from collections.abc import Iterable
from typing import Final

import msgspec

from controller.job.decide.defaults import Wanted
from controller.job.react.events import Happening
from shared import duration
from shared.model.job import LifecyclePolicy
from shared.model.phases import JobAction, JobEvent

INTERNAL: Final = frozenset({JobEvent.POD_RUNNING, JobEvent.OUT_OF_SYNC, JobEvent.COMMAND_ISSUED, JobEvent.JOB_UPDATED})
"""Events that `*` does not cover: they tell of our own doings and of ordinary progress."""


class Reaction(msgspec.Struct, frozen=True):
    """What a policy asks for. `delay`: its timeout in seconds; `level`: `task` or `job`."""

    action: JobAction
    delay: float
    level: str


def reaction(wanted: Wanted, happening: Happening) -> Reaction | None:
    """The answer to `happening`, or None when no policy speaks of it."""
    task = wanted.by_name.get(happening.task)
    return _first("task", task.spec.policies if task else (), happening) or _first("job", wanted.policies, happening)


def _first(level: str, policies: Iterable[LifecyclePolicy], happening: Happening) -> Reaction | None:
    for policy in policies:
        action = _ACTIONS.get(policy.action)
        if action is not None and matches(policy, happening):
            return Reaction(action, max(0.0, duration.seconds_or(policy.timeout, 0.0)), level)
    return None


_ACTIONS: Final = {action.value: action for action in JobAction}


def matches(policy: LifecyclePolicy, happening: Happening) -> bool:
    """By exit code, which only PodFailed has, or by event; PodPending only with a timeout."""
    if policy.exit_code is not None:
        return happening.event is JobEvent.POD_FAILED and happening.exit_code == policy.exit_code
    if happening.event is JobEvent.POD_PENDING and not policy.timeout:
        return False
    events = events_of(policy)
    return happening.event in events or (JobEvent.ANY in events and happening.event not in INTERNAL)


def events_of(policy: LifecyclePolicy) -> frozenset[JobEvent]:
    """`event` and `events` together."""
    return frozenset((*policy.events, *((policy.event,) if policy.event else ())))


def speaks_of(wanted: Wanted, event: JobEvent) -> bool:
    """Whether any policy, of the Job or a task, names `event` or covers it."""
    happening = Happening(event)
    policies = (*wanted.policies, *(policy for task in wanted.tasks for policy in task.spec.policies))
    return any(matches(policy, happening) for policy in policies)
