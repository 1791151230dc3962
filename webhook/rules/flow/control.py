"""Rules of switch, retry, daemon and finally (docs/design/jobflow-api.md, sections 2, 5.1 and 5.3)."""

from collections.abc import Iterator
from typing import Any, Final

from shared import duration
from shared.graphs import flow_graph
from shared.model.step import Retry, Step
from shared.violation import Reason, Violation
from webhook.hints.names import did_you_mean
from webhook.subject.subjects import FlowSubject

_MAX_RETRIES: Final = 999  # Job names have room for three digits of the attempt
# Fields that a step with `switch` may not have: (field in the API, attribute, value if absent).
_NO_JOB: Final[tuple[tuple[str, str, Any], ...]] = (
    ("template", "template", ""),
    ("for", "for_", None),
    ("patch", "patch", None),
    ("flow", "flow", None),
    ("approve", "approve", None),
    ("retry", "retry", None),
    ("activeDeadlineSeconds", "active_deadline_seconds", None),
    ("allowFailure", "allow_failure", False),
    ("daemon", "daemon", False),
    ("outputs", "outputs", ()),
)


def switch_creates_no_job(flow: FlowSubject) -> Iterator[Violation]:
    for path, step in flow.special:
        if step.switch is None:
            continue
        for field, attribute, absent in _NO_JOB:
            if getattr(step, attribute) != absent:
                message = "a step with switch creates no Job: only name, dependsOn, if and switch are allowed"
                yield Violation(f"{path}.{field}", message, reason=Reason.FORBIDDEN)


def switch_choices_exist(flow: FlowSubject) -> Iterator[Violation]:
    for path, step in flow.special:
        for place, name in flow_graph.chosen_by(step.switch) if step.switch else ():
            if name in flow.flow_names:
                continue
            if name in flow.finally_names:
                message = "a switch cannot choose steps of `finally`: they always run"
            else:
                message = f'no step named "{name}"{did_you_mean(name, flow.flow_names - {step.name})}'
            yield Violation(f"{path}.switch.{place}", message, name)


def a_step_belongs_to_one_switch(flow: FlowSubject) -> Iterator[Violation]:
    owner: dict[str, str] = {}
    for path, step in flow.special:
        for place, name in flow_graph.chosen_by(step.switch) if step.switch else ():
            if owner.setdefault(name, step.name) != step.name:
                message = (
                    f'step "{name}" already belongs to switch "{owner[name]}"; a step can belong to only one switch'
                )
                yield Violation(f"{path}.switch.{place}", message, name, Reason.DUPLICATE)


def switch_cases_differ(flow: FlowSubject) -> Iterator[Violation]:
    for path, step in flow.special:
        seen: set[str] = set()
        for number, case in enumerate(step.switch.cases if step.switch else ()):
            if not case.when:
                message = "list the values of this case; steps for all other values belong in `default`"
                yield Violation(f"{path}.switch.cases[{number}].when", message, reason=Reason.REQUIRED)
            for position, value in enumerate(case.when):
                if value in seen:
                    where = f"{path}.switch.cases[{number}].when[{position}]"
                    yield Violation(where, "an earlier case has this value", value, Reason.DUPLICATE)
                seen.add(value)


def finally_has_no_switch_or_daemon(flow: FlowSubject) -> Iterator[Violation]:
    for index, step in enumerate(flow.spec.finally_):
        if step.switch is not None:
            message = "steps of `finally` run in parallel and are never chosen; put the condition into each step's `if`"
            yield Violation(f"spec.finally[{index}].switch", message, reason=Reason.FORBIDDEN)
        if step.daemon:
            message = "a step of `finally` cannot be a daemon, since no step depends on it"
            yield Violation(f"spec.finally[{index}].daemon", message, reason=Reason.FORBIDDEN)


def retries_can_be_counted_and_waited_for(flow: FlowSubject) -> Iterator[Violation]:
    yield from _retry("spec.retry", flow.spec.retry)
    for path, step in flow.special:
        yield from _retry(f"{path}.retry", step.retry)


def _retry(path: str, retry: Retry | None) -> Iterator[Violation]:
    if retry is None:
        return
    if retry.limit is not None and retry.limit > _MAX_RETRIES:
        yield Violation(f"{path}.limit", f"must be less than or equal to {_MAX_RETRIES}", retry.limit)
    backoff = retry.backoff
    if backoff is None:
        return
    for field, text in (("duration", backoff.duration), ("maxDuration", backoff.max_duration)):
        if text is not None and (fault := _duration_fault(text)):
            yield Violation(f"{path}.backoff.{field}", fault, text)


def _duration_fault(text: str) -> str | None:
    try:
        value = duration.seconds(text)
    except duration.DurationError as error:
        return f"{error}; write it as 10s, 1m30s or 2h"
    return None if value >= 0 else "must not be negative"


def daemons_without_dependents(flow: FlowSubject) -> Iterator[str]:
    """Warn about a daemon without dependents: it is stopped as soon as it starts."""
    daemons = [(path, step) for path, step in flow.special if step.daemon and step.name in flow.flow_names]
    needed = {target for targets in flow.edges.values() for target in targets} if daemons else set()
    for path, step in daemons:
        if step.name not in needed:
            yield f"{path}.daemon: no step depends on {step.name}, so it is stopped as soon as it starts"


def switches_that_choose_nothing(flow: FlowSubject) -> Iterator[str]:
    for path, step in flow.special:
        if step.switch is not None and not _chooses(step):
            yield f"{path}.switch: neither cases nor default name a step, so it chooses no step"


def _chooses(step: Step) -> bool:
    return step.switch is not None and any(True for _ in flow_graph.chosen_by(step.switch))
