"""Finds literals that the value beside them never has, such as "Succeeded" beside the phase of a step.

Such an expression is valid, but its result is always the same, which is probably an error.
The phases of Argo, Tekton and Kubeflow have other names than ours. So users are warned, with the value that they probably meant.
"""

from collections.abc import Iterator
from typing import Any, Final

from shared.expressions.known_values import KnownValues
from shared.expressions.problem import Problem, at
from shared.expressions.syntax.tree import Checked, Expr, children, constant
from shared.model.phases import FlowOutcome, FlowPhase, StepPhase

_STEP: Final = KnownValues("the phase of a step", tuple(StepPhase))
_ATTEMPT: Final = KnownValues("the phase of a failed attempt", (StepPhase.FAILED.value, StepPhase.TERMINATED.value))
_OUTCOME: Final = KnownValues("the outcome of a flow", tuple(FlowOutcome))
_FLOW: Final = KnownValues("the phase of a flow", tuple(FlowPhase))
_FIELDS: Final = {("Step", "phase"): _STEP, ("Attempt", "phase"): _ATTEMPT, ("Flow", "outcome"): _OUTCOME}
# `last` of a schedule is a map, whose fields have no types.
_TEXTS: Final = {("last", "phase"): _FLOW, ("last", "outcome"): _OUTCOME}
_COMPARISONS: Final = ("_==_", "_!=_")


def impossible(checked: Checked, text: str) -> tuple[Problem, ...]:
    """One problem for each literal that is compared to a field which never has that value."""
    return tuple(_impossible(checked, checked.root, text))


def values_of(checked: Checked) -> KnownValues | None:
    """The values that the result of the whole expression can have; None if they are not known."""
    return _known(checked, checked.root)


def _impossible(checked: Checked, node: Expr, text: str) -> Iterator[Problem]:
    for field, literal in _compared(node):
        known = _known(checked, field)
        fault = known.fault(constant(literal)) if known else None
        if fault:
            yield at(text, checked.positions.get(literal.id, 0), *fault)
    for child in children(node):
        yield from _impossible(checked, child, text)


def _compared(node: Expr) -> Iterator[tuple[Expr, Expr]]:
    """(field, literal) of each comparison that a call makes."""
    if not node.HasField("call_expr"):
        return
    function, operands = node.call_expr.function, list(node.call_expr.args)
    if function in _COMPARISONS:
        left, right = operands
        yield from ((left, right), (right, left))
    elif function == "@in":
        yield from ((operands[0], element) for element in operands[1].list_expr.elements)


def _known(checked: Checked, node: Expr) -> KnownValues | None:
    if node.HasField("call_expr") and node.call_expr.function == "_[_]":
        operand, field = node.call_expr.args[0], constant(node.call_expr.args[1])
    elif node.HasField("select_expr"):
        operand, field = node.select_expr.operand, node.select_expr.field
    else:
        return None
    kind = _type_of(checked.types.get(operand.id))
    if kind == "map" and operand.HasField("ident_expr"):
        return _TEXTS.get((operand.ident_expr.name, str(field)))
    return _FIELDS.get((kind, str(field)))


def _type_of(kind: Any) -> str:
    """The name of a message, `map`, or "" for anything else."""
    if kind is None:
        return ""
    return "map" if kind.HasField("map_type") else str(kind.message_type).rpartition(".")[2]
