"""Which policy matches an event: task policies before job policies, first match in list order
(docs/design/volcano-behaviour.md, section 3.5).
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from controller.job.model.defaults import EffectiveSpec
from controller.job.react.events import LifecycleEvent
from shared import duration, exitcodes
from shared.model.job import LifecyclePolicy
from shared.model.phases import JobAction, JobEvent

INTERNAL: Final = frozenset({JobEvent.POD_RUNNING, JobEvent.OUT_OF_SYNC, JobEvent.COMMAND_ISSUED, JobEvent.JOB_UPDATED})
"""Events that `*` does not cover: they report the controller's own actions and ordinary progress."""


_POD_LOST: Final = frozenset({JobEvent.POD_FAILED, JobEvent.POD_EVICTED})


class Reaction(msgspec.Struct, frozen=True):
    """What a policy asks for. `delay`: its timeout in seconds; `level`: `task` or `job`."""

    action: JobAction
    delay: float
    level: str


def reaction(wanted: EffectiveSpec, event: LifecycleEvent) -> Reaction | None:
    """The reaction to `event`, or None when no policy matches it."""
    task = wanted.by_name.get(event.task)
    return _first("task", task.spec.policies if task else (), event) or _first("job", wanted.policies, event)


def _first(level: str, policies: Iterable[LifecyclePolicy], event: LifecycleEvent) -> Reaction | None:
    for policy in policies:
        action = _ACTIONS.get(policy.action)
        if action is not None and matches(policy, event):
            return Reaction(action, max(0.0, duration.seconds_or(policy.timeout, 0.0)), level)
    return None


_ACTIONS: Final = {action.value: action for action in JobAction}


def matches(policy: LifecyclePolicy, event: LifecycleEvent) -> bool:
    """By exit code, which only PodFailed has, or by event. PodPending matches only with a timeout."""
    if policy.exit_code is not None:
        return event.type is JobEvent.POD_FAILED and event.exit_code == policy.exit_code
    if policy.exit_codes is not None:
        return event.type is JobEvent.POD_FAILED and exitcodes.contains(policy.exit_codes, event.exit_code or 0)
    if policy.pod_conditions:
        return event.type in _POD_LOST and _has_condition(policy, event)
    if event.type is JobEvent.POD_PENDING and not policy.timeout:
        return False
    events = events_of(policy)
    return event.type in events or (JobEvent.ANY in events and event.type not in INTERNAL)


def _has_condition(policy: LifecyclePolicy, event: LifecycleEvent) -> bool:
    conditions = event.pod.conditions if event.pod else frozenset()
    return any((pattern.type, pattern.status) in conditions for pattern in policy.pod_conditions)


def events_of(policy: LifecyclePolicy) -> frozenset[JobEvent]:
    """`event` and `events` together."""
    return frozenset((*policy.events, *((policy.event,) if policy.event else ())))


def is_covered(wanted: EffectiveSpec, kind: JobEvent) -> bool:
    """Whether any policy, of the Job or a task, names the event `kind` or covers it."""
    event = LifecycleEvent(kind)
    policies = (*wanted.policies, *(policy for task in wanted.tasks for policy in task.spec.policies))
    return any(matches(policy, event) for policy in policies)
