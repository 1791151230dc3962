"""The CEL expressions of a step with `resource`: compiled on apply, evaluated on the live object."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from shared.expressions import (
    EvalError,
    PolicyInput,
    Problem,
    Program,
    ResultType,
    compile_expression,
    evaluate_for_policy,
    policy_scope,
)
from shared.model.step import StepResource
from shared.model.types import Body
from shared.resource_steps.known_kinds import KNOWN_KINDS

_RESULTS: Final[Mapping[str, ResultType]] = {
    "success": ResultType.BOOL,
    "failure": ResultType.BOOL,
    "message": ResultType.STRING,
    "running": ResultType.BOOL,
}
_SCOPE: Final = policy_scope()


def texts_of(resource: StepResource) -> dict[str, str]:
    """The expressions by field: those that the step gives, else those of the known kind. Without absent ones."""
    version, kind = resource.type_meta
    known = KNOWN_KINDS.get((version.rpartition("/")[0], kind))
    found = {name: getattr(resource, name) or getattr(known, name, "") for name in _RESULTS}
    return {name: text for name, text in found.items() if text}


def compile_over_object(text: str, result: ResultType) -> Program | tuple[Problem, ...]:
    """The program of an expression whose only variable is `object`, or its problems."""
    program = compile_expression(text, _SCOPE, result)
    if not isinstance(program, Program):
        return program
    others = sorted({field[0] for field in program.fields} - {"object"})
    return tuple(Problem(f'undeclared name "{name}": the only variable here is object') for name in others) or program


def problems(resource: StepResource) -> Iterator[tuple[str, str, Problem]]:
    """(field, text, problem) of the expressions that the step gives."""
    for name, result in _RESULTS.items():
        text = getattr(resource, name)
        compiled = compile_over_object(text, result) if text is not None else None
        for problem in compiled if isinstance(compiled, tuple) else ():
            yield name, text, problem


class Reading(msgspec.Struct, frozen=True):
    """What the conditions say of an object. `fault`: of the first condition that has no value."""

    failed: bool = False
    succeeded: bool = False
    running: bool = False
    message: str = ""
    fault: str = ""


def read_conditions(resource: StepResource, body: Body) -> Reading:
    """Evaluate the conditions on an object. One without a value does not hold."""
    given, texts = _input(body), texts_of(resource)
    faults: list[str] = []

    def holds(name: str) -> bool:
        value = _value(texts.get(name, "false"), _RESULTS[name], given)
        if isinstance(value, EvalError):
            faults.append(f"{name}: {value}")
        return value is True

    failed, succeeded = holds("failure"), holds("success")
    message = _value(texts["message"], ResultType.STRING, given) if "message" in texts else ""
    return Reading(
        failed=failed,
        succeeded=succeeded and not failed,
        running=holds("running") if "running" in texts else True,
        message=message if isinstance(message, str) else "",
        fault="" if failed or succeeded or not faults else faults[0],
    )


def read_output(text: str, body: Body) -> str | None:
    """The value of an output: text as it is, other values as JSON; None if the expression has no value."""
    value = _value(text, ResultType.VALUE, _input(body))
    if isinstance(value, EvalError) or value is None:
        return None
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _value(text: str, result: ResultType, given: PolicyInput) -> Any | EvalError:
    program = compile_over_object(text, result)
    if not isinstance(program, Program):
        return EvalError("; ".join(str(problem) for problem in program))
    return evaluate_for_policy(program, given)


def _input(body: Body) -> PolicyInput:
    return PolicyInput(len(msgspec.json.encode(body)), {"object": body})
