"""CEL expressions: their variables, compilation, checks and evaluation. Pure: no I/O.

`compile_expression(text, flow_scope(...), ResultType.BOOL)` gives a Program or the Problems of the text. Then
`evaluate(program, {"steps": {...}, "params": {...}, "flow": ...})` gives the value or an EvalError.
"""

from shared.expressions.bindings import binding_of_attempt, binding_of_flow, binding_of_step
from shared.expressions.evaluation import EvalError, PolicyInput, evaluate, evaluate_for_policy, evaluate_rule
from shared.expressions.literals import KnownValues
from shared.expressions.problem import Problem
from shared.expressions.program import Program, ResultType, compile_expression, params_used, references_of
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
    "params_used",
    "policy_scope",
    "references_of",
    "retry_scope",
    "schedule_scope",
]
