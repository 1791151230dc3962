"""Expressions of a flow compile, return the type that their field takes, and read only values that are known when they are
evaluated (docs/design/jobflow-api.md, section 3.4)."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from shared.expressions import (
    Problem,
    Program,
    ResultType,
    Scope,
    compile_expression,
    flow_scope,
    item_scope,
    retry_scope,
)
from shared.graphs.flow_graph import ExpressionPlace, PlacedExpression, written_expressions
from shared.graphs.nesting import known_outputs
from shared.model.step import Step, Switch
from shared.violation import Violation
from webhook.subject.subjects import FlowSubject

_RESULTS: Final[Mapping[ExpressionPlace, ResultType]] = {
    ExpressionPlace.IF: ResultType.BOOL,
    ExpressionPlace.SWITCH: ResultType.STRING_INT_BOOL,
    ExpressionPlace.FOR: ResultType.LIST,
    ExpressionPlace.WHILE: ResultType.BOOL,
    ExpressionPlace.ITEM: ResultType.BOOL,
    ExpressionPlace.RETRY: ResultType.BOOL,
    ExpressionPlace.PATCH: ResultType.VALUE,
}
_OUTCOME: Final = ("flow", "outcome")
_BOOLS: Final = ("true", "false")
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]*")
_WORD: Final = re.compile(r"[a-z0-9][-a-z0-9]*|[A-Za-z0-9_]+")


def expressions_compile(flow: FlowSubject) -> Iterator[Violation]:
    for path, step, written in _all(flow):
        compiled = _compiled(flow, step, written)
        if not isinstance(compiled, Program):
            yield from (Violation(path, str(problem), written.text) for problem in compiled)


def literals_that_never_match(flow: FlowSubject) -> Iterator[str]:
    for path, step, written in _all(flow):
        compiled = _compiled(flow, step, written)
        if not isinstance(compiled, Program):
            continue
        yield from (f"{path}: {doubt}" for doubt in compiled.doubts)
        if _OUTCOME in compiled.fields and step is not None and step.name not in flow.finally_names:
            yield f'{path}: flow.outcome is "" until all steps of spec.flows have ended; read it in a step of `finally`'
        if written.place is ExpressionPlace.SWITCH and step and step.switch:
            yield from _cases(path.removesuffix(".value"), step.switch, compiled)


def _cases(path: str, switch: Switch, value: Program) -> Iterator[str]:
    for number, case in enumerate(switch.cases):
        for position, text in enumerate(case.when):
            if fault := _never(value, text):
                yield f"{path}.cases[{number}].when[{position}]: {fault}"


def _never(value: Program, text: str) -> str:
    """Why `value` is never `text`, or ""."""
    if value.static_type == "bool" and text not in _BOOLS:
        return f'a bool is never "{text}"; it is "true" or "false"'
    if value.static_type == "int" and not _INTEGER.fullmatch(text):
        return f'an int is never "{text}"; write it as 0, 1 or -1'
    fault = value.values.fault(text) if value.values else None
    return "; ".join(fault) if fault else ""


def _all(flow: FlowSubject) -> Iterator[tuple[str, Step | None, PlacedExpression]]:
    """(path, step, expression) of every expression of the flow."""
    for path, step in flow.special:
        for written in written_expressions(step):
            yield f"{path}.{written.path}", step, written
    retry = flow.spec.retry
    if retry is not None and retry.if_ is not None:
        yield "spec.retry.if", None, PlacedExpression(ExpressionPlace.RETRY, "retry.if", retry.if_)


def _compiled(flow: FlowSubject, step: Step | None, written: PlacedExpression) -> Program | tuple[Problem, ...]:
    return compile_expression(written.text, _scope(flow, step, written), _RESULTS[written.place])


def _scope(flow: FlowSubject, step: Step | None, written: PlacedExpression) -> Scope:
    """The variables of the expression. Of other steps only those that it mentions, to keep scopes of large flows small."""
    mentioned = {word for word in _WORD.findall(written.text) if word in flow.flow_names}
    upstream = {name for name in mentioned if step is not None and flow.ends_before(step.name, name)}
    outputs = {name: flow.outputs[name] for name in mentioned if name in flow.outputs}
    params = tuple(param.name for param in flow.spec.params)
    if written.place is ExpressionPlace.RETRY:
        return retry_scope(flow.sorted_names, upstream, outputs, params)
    if written.place is ExpressionPlace.ITEM:
        return item_scope(flow.sorted_names, upstream, outputs, params)
    loop = (
        step is not None and step.for_ is not None and written.place in (ExpressionPlace.WHILE, ExpressionPlace.PATCH)
    )
    own = known_outputs(step) if step is not None and loop else ()
    return flow_scope(flow.sorted_names, upstream, outputs, params, loop=loop, own_outputs=own)
