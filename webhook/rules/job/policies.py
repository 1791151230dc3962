"""Lifecycle policies of a Job and its tasks can match and can be executed (docs/design/volcano-behaviour.md, section 2.3)."""

from collections.abc import Iterator
from typing import Final

from shared import duration, exitcodes
from shared.codec.plural import verb
from shared.model.job import LifecyclePolicy, TaskSpec
from shared.model.phases import JobAction, JobEvent
from shared.violation import Reason, Violation
from webhook.hints.names import quoted, supported_values
from webhook.subject.subjects import JobSubject

_STATUSES: Final = ("True", "False", "Unknown")
_ACTIONS: Final = tuple(action.value for action in JobAction)
# Events of the whole Job, which have no pod or task.
_WHOLE_JOB: Final = frozenset({JobEvent.UNKNOWN, JobEvent.JOB_UPDATED, JobEvent.COMMAND_ISSUED, JobEvent.OUT_OF_SYNC})
_NEVER_RAISED: Final = frozenset({JobEvent.COMMAND_ISSUED, JobEvent.OUT_OF_SYNC})
_TARGETED: Final = frozenset({JobAction.RESTART_POD, JobAction.RESTART_TASK, JobAction.RESTART_PARTITION})


def policy_says_when(job: JobSubject) -> Iterator[Violation]:
    for path, policy, _ in _policies(job):
        others = [field for field in _causes(policy) if field != "event"]
        if policy.exit_code is not None and _events(policy):
            message = "must not specify event and exitCode simultaneously"
            yield Violation(f"{path}.exitCode", message, policy.exit_code)
        elif not _causes(policy):
            yield Violation(path, "either event or exitCode is required", reason=Reason.REQUIRED)
        elif len(_causes(policy)) > 1:
            message = f"may have one of event, exitCode, exitCodes and podConditions only, not {' and '.join(_causes(policy))}"
            yield Violation(f"{path}.{others[0]}", message, reason=Reason.FORBIDDEN)


def _causes(policy: LifecyclePolicy) -> list[str]:
    """The fields that say when the policy acts."""
    given = {
        "event": bool(_events(policy)),
        "exitCode": policy.exit_code is not None,
        "exitCodes": policy.exit_codes is not None,
        "podConditions": bool(policy.pod_conditions),
    }
    return [field for field, present in given.items() if present]


def exit_codes_are_codes_and_ranges(job: JobSubject) -> Iterator[Violation]:
    for path, policy, _ in _policies(job):
        for index, value in enumerate(policy.exit_codes.values if policy.exit_codes else ()):
            if isinstance(value, str) and job.open(value):
                continue
            try:
                exitcodes.bounds(value)
            except exitcodes.ExitCodeError as error:
                yield Violation(f"{path}.exitCodes.values[{index}]", str(error), value)


def pod_conditions_have_a_status(job: JobSubject) -> Iterator[Violation]:
    for path, policy, _ in _policies(job):
        for index, pattern in enumerate(policy.pod_conditions):
            if pattern.status not in _STATUSES and not job.open(pattern.status):
                message = supported_values(pattern.status, _STATUSES)
                where = f"{path}.podConditions[{index}].status"
                yield Violation(where, message, pattern.status, Reason.NOT_SUPPORTED)


def policy_action_is_an_action(job: JobSubject) -> Iterator[Violation]:
    """Also for exitCode policies, whose actions Volcano does not validate."""
    for path, policy, _ in _policies(job):
        if policy.action not in _ACTIONS and not job.open(policy.action):
            message = f"invalid policy action; {supported_values(policy.action, _ACTIONS)}"
            yield Violation(f"{path}.action", message, policy.action, Reason.NOT_SUPPORTED)


def policy_action_has_a_target(job: JobSubject) -> Iterator[Violation]:
    """Volcano accepts such policies, then uses up a retry and restarts nothing. In a policy of the Job, a targeted action
    is about the task of the pod that raised the event.
    """
    partitioned = any(task.partition_policy for task in job.tasks)
    for path, policy, task in _policies(job):
        events = _events(policy)
        whole = [event for event in events if event in _WHOLE_JOB]
        if policy.action in _TARGETED and whole and len(whole) == len(events):
            message = f"{policy.action} needs a pod or task, but {whole[0]} is an event of the whole Job"
            yield Violation(f"{path}.action", message, policy.action)
        elif policy.action == JobAction.RESTART_PARTITION and not (task.partition_policy if task else partitioned):
            yield Violation(f"{path}.action", "RestartPartition needs a task with partitionPolicy", policy.action)


def events_are_handled_once(job: JobSubject) -> Iterator[Violation]:
    """An event appears in one policy of a list. Repeated events within one policy are merged."""
    for path, policies in _lists(job):
        seen: set[JobEvent] = set()
        for index, policy in enumerate(policies):
            for event in dict.fromkeys(_events(policy)):
                if event in seen:
                    message = f"duplicate event {event} across different policy"
                    yield Violation(f"{path}[{index}]", message, event.value, Reason.DUPLICATE)
            seen.update(_events(policy))


def any_event_stands_alone(job: JobSubject) -> Iterator[Violation]:
    for path, policies in _lists(job):
        events = {event for policy in policies for event in _events(policy)}
        if JobEvent.ANY in events and len(events) > 1:
            others = quoted(sorted(event.value for event in events if event is not JobEvent.ANY))
            message = f'if there is * here, no other policy should be here: "*" covers {others}'
            yield Violation(path, message, reason=Reason.FORBIDDEN)


def exit_codes_are_failures(job: JobSubject) -> Iterator[Violation]:
    for path, policy, _ in _policies(job):
        if policy.exit_code == 0:
            yield Violation(f"{path}.exitCode", "0 is not a valid error code", 0)


def exit_codes_are_handled_once(job: JobSubject) -> Iterator[Violation]:
    for path, policies in _lists(job):
        seen: set[int] = set()
        for index, policy in enumerate(policies):
            if policy.exit_code is None:
                continue
            if policy.exit_code in seen:
                message = f"duplicate exitCode {policy.exit_code}"
                yield Violation(f"{path}[{index}].exitCode", message, policy.exit_code, Reason.DUPLICATE)
            seen.add(policy.exit_code)


def timeouts_are_positive_durations(job: JobSubject) -> Iterator[Violation]:
    for path, policy, _ in _policies(job):
        text = policy.timeout
        if text is not None and not job.open(text) and (fault := _duration_fault(text)):
            yield Violation(f"{path}.timeout", fault, policy.timeout)


def running_estimate_is_a_duration(job: JobSubject) -> Iterator[Violation]:
    estimate = job.spec.running_estimate
    if estimate is not None and not job.open(estimate) and (fault := _duration_fault(estimate)):
        yield Violation("spec.runningEstimate", fault, estimate)


def pending_policies_without_timeout(job: JobSubject) -> Iterator[str]:
    """Warn about PodPending without a timeout. Volcano accepts it; it never matches."""
    for path, policy, _ in _policies(job):
        if JobEvent.POD_PENDING in _events(policy) and policy.timeout is None:
            yield f"{path}: PodPending without timeout has no effect: every pod starts as Pending"


def events_that_are_never_raised(job: JobSubject) -> Iterator[str]:
    """Warn about events that Volcano's documentation names and that nothing raises, there or here."""
    for path, policy, _ in _policies(job):
        if idle := [event.value for event in _events(policy) if event in _NEVER_RAISED]:
            yield f"{path}: {quoted(idle)} {verb(len(idle), 'is', 'are')} never raised: the policy does not act on it"


def targeted_actions_on_job_events(job: JobSubject) -> Iterator[str]:
    """Warn about the events of a policy for which its action has no target; the others work."""
    for path, policy, _ in _policies(job):
        events = _events(policy)
        whole = [event.value for event in events if event in _WHOLE_JOB]
        if policy.action in _TARGETED and whole and len(whole) < len(events):
            yield f"{path}: {policy.action} has no effect on {quoted(whole)}: it needs a pod or task"


def _duration_fault(text: str) -> str | None:
    try:
        value = duration.seconds(text)
    except duration.DurationError as error:
        return f"{error}; write it as 10s, 1m30s or 2h"
    return None if value > 0 else "must be greater than 0"


def _lists(job: JobSubject) -> Iterator[tuple[str, tuple[LifecyclePolicy, ...]]]:
    yield "spec.policies", job.spec.policies
    for index, task in enumerate(job.tasks):
        yield f"spec.tasks[{index}].policies", task.policies


def _policies(job: JobSubject) -> Iterator[tuple[str, LifecyclePolicy, TaskSpec | None]]:
    for index, policy in enumerate(job.spec.policies):
        yield f"spec.policies[{index}]", policy, None
    for number, task in enumerate(job.tasks):
        for index, policy in enumerate(task.policies):
            yield f"spec.tasks[{number}].policies[{index}]", policy, task


def _events(policy: LifecyclePolicy) -> tuple[JobEvent, ...]:
    return (*((policy.event,) if policy.event is not None else ()), *policy.events)
