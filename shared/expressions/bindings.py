"""The types of the variables in expressions (Step, Pods, Attempt, Flow) and the functions that create their values.

The types are protobuf messages, because the CEL library checks field names and types only for those.
See docs/design/jobflow-api.md, section 3.4.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from shared.expressions.syntax import messages

PACKAGE: Final = "jobflow"

STEP: Final[messages.Fields] = {
    "phase": (1, "string"),
    "reason": (2, "string"),
    "attempts": (3, "int64"),
    "exitCode": (4, "int64"),
    "outputs": (5, "{string:string}"),
    "pods": (6, "Pods"),
    "iterations": (7, "Step[]"),
}
PODS: Final[messages.Fields] = {"succeeded": (1, "int64"), "failed": (2, "int64")}
ATTEMPT: Final[messages.Fields] = {
    "phase": (1, "string"),
    "reason": (2, "string"),
    "exitCode": (3, "int64"),
    "message": (4, "string"),
    "durationSeconds": (5, "double"),
    "number": (6, "int64"),
}
FLOW: Final[messages.Fields] = {
    "name": (1, "string"),
    "namespace": (2, "string"),
    "labels": (3, "{string:string}"),
    "annotations": (4, "{string:string}"),
    "outcome": (5, "string"),
}
TYPES: Final = {"Step": STEP, "Pods": PODS, "Attempt": ATTEMPT, "Flow": FLOW}


@cache
def _built() -> tuple[Any, dict[str, Any]]:
    return messages.build(PACKAGE, TYPES)


def pool() -> Any:
    """The descriptors of the types, for the CEL library."""
    return _built()[0]


def _new(kind: str, /, **fields: Any) -> Any:
    return _built()[1][kind](**fields)


def binding_of_step(
    phase: str,
    reason: str = "",
    attempts: int = 0,
    exit_code: int = 0,
    outputs: Mapping[str, str] | None = None,
    pods_succeeded: int = 0,
    pods_failed: int = 0,
    iterations: Sequence[Any] = (),
) -> Any:
    """The value of `steps.N`, of `last`, and of each of `steps.N.iterations`.

    `outputs` must contain every declared output, "" until it is produced; `iterations`: results of this function.
    """
    return _new(
        "Step",
        phase=phase,
        reason=reason,
        attempts=attempts,
        exitCode=exit_code,
        outputs=outputs or {},
        pods=_new("Pods", succeeded=pods_succeeded, failed=pods_failed),
        iterations=iterations,
    )


def binding_of_attempt(
    phase: str, reason: str = "", exit_code: int = 0, message: str = "", duration_seconds: float = 0.0, number: int = 0
) -> Any:
    """The value of `attempt` in `retry.if`; `number` is 0 for the first try."""
    return _new(
        "Attempt",
        phase=phase,
        reason=reason,
        exitCode=exit_code,
        message=message,
        durationSeconds=duration_seconds,
        number=number,
    )


def binding_of_flow(
    name: str,
    namespace: str,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    outcome: str = "",
) -> Any:
    """The value of `flow`; `outcome` is "" until every step has ended."""
    return _new(
        "Flow", name=name, namespace=namespace, labels=labels or {}, annotations=annotations or {}, outcome=outcome
    )


def plain(message: Any) -> dict[str, Any]:
    """A Step, Pods, Attempt or Flow as a JSON object."""
    fields: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type is None:
            fields[field.name] = value
        elif field.message_type.GetOptions().map_entry:
            fields[field.name] = dict(value)
        else:
            fields[field.name] = [plain(item) for item in value] if field.name == "iterations" else plain(value)
    return fields
