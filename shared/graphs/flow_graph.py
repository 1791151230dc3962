"""The graph of a JobFlow: which steps wait for which, and which fields hold expressions.

Webhook, controller, linter and drawings take the edges from here, so that all of them see the same graph.
See docs/design/jobflow-api.md, sections 2, 3.4 and 5.1.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

import msgspec

from shared.model.flow import JobFlowSpec
from shared.model.step import Step, Switch


class ExpressionPlace(StrEnum):
    """The field that holds an expression. It determines the variables and the type of the result."""

    IF = "if"
    SWITCH = "switch.value"
    FOR = "for.expression"
    WHILE = "for.while"
    ITEM = "for.if"
    RETRY = "retry.if"
    PATCH = "patch.jsonPatch"


class PlacedExpression(msgspec.Struct, frozen=True):
    """An expression and its `path` below the step (`switch.value`, `patch.jsonPatch[0].expression`)."""

    place: ExpressionPlace
    path: str
    text: str


def written_expressions(step: Step) -> Iterator[PlacedExpression]:
    """Every expression of a step."""
    if step.if_ is not None:
        yield PlacedExpression(ExpressionPlace.IF, "if", step.if_)
    if step.switch is not None:
        yield PlacedExpression(ExpressionPlace.SWITCH, "switch.value", step.switch.value)
    if step.for_ is not None and step.for_.expression is not None:
        yield PlacedExpression(ExpressionPlace.FOR, "for.expression", step.for_.expression)
    if step.for_ is not None and step.for_.while_ is not None:
        yield PlacedExpression(ExpressionPlace.WHILE, "for.while", step.for_.while_)
    if step.for_ is not None and step.for_.if_ is not None:
        yield PlacedExpression(ExpressionPlace.ITEM, "for.if", step.for_.if_)
    for index, operation in enumerate(step.patch.json_patch if step.patch else ()):
        if operation.expression is not None:
            yield PlacedExpression(ExpressionPlace.PATCH, f"patch.jsonPatch[{index}].expression", operation.expression)
    if step.retry is not None and step.retry.if_ is not None:
        yield PlacedExpression(ExpressionPlace.RETRY, "retry.if", step.retry.if_)


def chosen_by(switch: Switch) -> Iterator[tuple[str, str]]:
    """(path below the switch, step) for every step that a switch can choose."""
    for number, case in enumerate(switch.cases):
        for position, name in enumerate(case.run):
            yield f"cases[{number}].run[{position}]", name
    for position, name in enumerate(switch.default):
        yield f"default[{position}]", name


def switch_of(spec: JobFlowSpec) -> dict[str, str]:
    """The switch of each step that a switch can choose (the first switch if there are several)."""
    found: dict[str, str] = {}
    for step in spec.flows:
        if step.switch is not None:
            for _, name in chosen_by(step.switch):
                found.setdefault(name, step.name)
    return found


def edges(spec: JobFlowSpec) -> dict[str, tuple[str, ...]]:
    """The steps that each step of `flows` waits for: targets, and switches that can choose it. `finally` has no edges."""
    found: dict[str, tuple[str, ...]] = dict.fromkeys([step.name for step in spec.flows], ())
    for name, depends in [(step.name, step.depends_on) for step in spec.flows if step.depends_on is not None]:
        found[name] = tuple(dict.fromkeys((*found[name], *depends.targets)))
    for switch, named in [(step.switch, step.name) for step in spec.flows if step.switch is not None]:
        for _, name in chosen_by(switch):
            if named not in found.get(name, (named,)):
                found[name] = (*found[name], named)
    return found


def edges_with_references(spec: JobFlowSpec, references: Callable[[Step], Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """`edges` plus the steps that each step's expressions and placeholders name, since these can also form cycles."""
    found = edges(spec)
    for step in spec.flows:
        found[step.name] = tuple(dict.fromkeys((*found[step.name], *references(step))))
    return found
