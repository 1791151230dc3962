"""CEL expressions: their variables, compilation, checks and evaluation. Pure: no I/O.

`compile_expression(text, flow_scope(...), ResultType.BOOL)` gives a Program or the Problems of the text. Then
`evaluate(program, {"steps": {...}, "params": {...}, "flow": ...})` gives the value or an EvalError.

The CEL library takes 20 MiB, so the functions here import it when they are first called: a process that meets no
expression never loads it.
"""

from collections.abc import Mapping
from typing import Any

from shared.expressions.bindings import binding_of_attempt, binding_of_flow, binding_of_step
from shared.expressions.known_values import KnownValues
from shared.expressions.policy_input import PolicyInput
from shared.expressions.problem import Problem, nearest
from shared.expressions.program import EvalError, FieldPath, Program, ResultType, params_used, references_of
from shared.expressions.scope import (
    Scope,
    ScopeKind,
    flow_scope,
    item_scope,
    policy_scope,
    retry_scope,
    schedule_scope,
)

__all__ = [
    "EvalError",
    "FieldPath",
    "KnownValues",
    "PolicyInput",
    "Problem",
    "Program",
    "ResultType",
    "Scope",
    "ScopeKind",
    "binding_of_attempt",
    "binding_of_flow",
    "binding_of_step",
    "compile_expression",
    "evaluate",
    "evaluate_for_policy",
    "evaluate_rule",
    "flow_scope",
    "item_scope",
    "nearest",
    "params_used",
    "policy_scope",
    "references_of",
    "retry_scope",
    "schedule_scope",
]


def compile_expression(text: str, scope: Scope, result: ResultType) -> Program | tuple[Problem, ...]:
    """The program, or all problems of the text (never an empty tuple); see `compilation`. Never raises."""
    from shared.expressions import compilation

    return compilation.compile_expression(text, scope, result)


def evaluate(program: Program, bindings: Mapping[str, Any]) -> Any | EvalError:
    """The value of a flow's expression, as its ResultType says; see `evaluation`. Never raises."""
    from shared.expressions import evaluation

    return evaluation.evaluate(program, bindings)


def evaluate_for_policy(program: Program, given: PolicyInput) -> Any | EvalError:
    """The value of a policy's expression, as its ResultType says."""
    from shared.expressions import evaluation

    return evaluation.evaluate_for_policy(program, given)


def evaluate_rule(program: Program, given: PolicyInput) -> bool | EvalError:
    """Whether an object complies with a policy's rule. An error counts as a violation."""
    from shared.expressions import evaluation

    return evaluation.evaluate_rule(program, given)
