"""`variables` of a policy: CEL expressions that are evaluated once for an object and read as variables.NAME."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from shared.expressions import (
    EvalError,
    PolicyInput,
    Program,
    ResultType,
    compile_expression,
    evaluate_for_policy,
    policy_scope,
)
from shared.model.policy import PolicyVariable
from shared.policy.context import PolicyContext

FieldPaths = frozenset[tuple[str, ...]]


class CompiledVariable(msgspec.Struct, frozen=True):
    """`fields`: the fields that it reads, directly or through other variables."""

    name: str
    program: Program
    fields: FieldPaths


class PolicyValues(msgspec.Struct, frozen=True):
    """What the expressions of one policy see of an object. `failed`: why variables have no value, by name."""

    given: PolicyInput
    failed: Mapping[str, str]

    def evaluate(self, program: Program) -> Any | EvalError:
        """An error names the variable that caused it, if one did."""
        value = evaluate_for_policy(program, self.given)
        if isinstance(value, EvalError):
            read = (path[1] for path in sorted(program.fields) if path[0] == "variables" and len(path) > 1)
            cause = next((name for name in read if name in self.failed), None)
            if cause is not None:
                return EvalError(f"variable {cause}: {self.failed[cause]}")
        return value


def compile_variables(variables: Iterable[PolicyVariable]) -> tuple[CompiledVariable, ...]:
    """Variables without problems; `check` reports the others."""
    compiled: list[CompiledVariable] = []
    for each in variables:
        scope = policy_scope(variable.name for variable in compiled)
        program = compile_expression(each.expression, scope, ResultType.VALUE)
        if isinstance(program, Program):
            compiled.append(CompiledVariable(each.name, program, fields_of(program, compiled)))
    return tuple(compiled)


def fields_of(program: Program, variables: Iterable[CompiledVariable]) -> FieldPaths:
    """The fields that an expression reads, directly or through variables."""
    known = {variable.name: variable.fields for variable in variables}
    read: set[tuple[str, ...]] = set()
    for path in program.fields:
        if path[0] == "variables":
            read |= known.get(path[1] if len(path) > 1 else "", frozenset())
        else:
            read.add(path)
    return frozenset(read)


def values_of(variables: Sequence[CompiledVariable], context: PolicyContext) -> PolicyValues:
    """Evaluates the variables in their order. One that fails is absent for those that read it."""
    values: dict[str, Any] = {}
    failed: dict[str, str] = {}
    current = PolicyValues(context.variables, failed)
    for variable in variables:
        value = current.evaluate(variable.program)
        if isinstance(value, EvalError):
            failed[variable.name] = value.message
        else:
            values[variable.name] = value
            current = PolicyValues(context.variables.with_variables(dict(values)), failed)
    return current
