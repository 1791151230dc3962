"""Rules of steps with `approve`, which wait for a person."""

from collections.abc import Iterator
from typing import Any, Final

from shared import duration
from shared.model.step import OnTimeout
from shared.violation import Reason, Violation
from webhook.subject.subjects import FlowSubject

# Fields that a step with `approve` may not have: (field in the API, attribute, value if absent).
_NO_JOB: Final[tuple[tuple[str, str, Any], ...]] = (
    ("template", "template", ""),
    ("flow", "flow", None),
    ("switch", "switch", None),
    ("for", "for_", None),
    ("patch", "patch", None),
    ("retry", "retry", None),
    ("activeDeadlineSeconds", "active_deadline_seconds", None),
    ("daemon", "daemon", False),
    ("outputs", "outputs", ()),
)


def approval_creates_no_job(flow: FlowSubject) -> Iterator[Violation]:
    for path, step in flow.special:
        for field, attribute, absent in _NO_JOB if step.approve is not None else ():
            if getattr(step, attribute) != absent:
                message = "a step with approve creates nothing: only name, dependsOn, if, allowFailure and approve are allowed"
                yield Violation(f"{path}.{field}", message, reason=Reason.FORBIDDEN)


def approval_is_not_in_finally(flow: FlowSubject) -> Iterator[Violation]:
    for index, step in enumerate(flow.spec.finally_):
        if step.approve is not None:
            message = "steps of `finally` clean up whatever happened; put the approval into `flows`"
            yield Violation(f"spec.finally[{index}].approve", message, reason=Reason.FORBIDDEN)


def approval_timeout_is_a_duration(flow: FlowSubject) -> Iterator[Violation]:
    for path, step in flow.special:
        if step.approve is None:
            continue
        text = step.approve.timeout
        if text is None:
            if step.approve.on_timeout is not None:
                message = "has no effect without timeout: add one, such as 24h"
                yield Violation(f"{path}.approve.onTimeout", message, step.approve.on_timeout.value)
        elif fault := _fault(text):
            yield Violation(f"{path}.approve.timeout", fault, text)


def approvals_after_a_timeout(flow: FlowSubject) -> Iterator[str]:
    for path, step in flow.special:
        if step.approve is not None and step.approve.on_timeout is OnTimeout.APPROVE:
            yield f"{path}.approve.onTimeout: Approve counts only where a JobFlowPolicy allows it (approvals.onTimeout)"


def _fault(text: str) -> str:
    try:
        return "" if duration.seconds(text) > 0 else "must be longer than 0"
    except duration.DurationError as error:
        return f"{error}; write it as 10m, 1h30m or 24h"
