"""Expressions of a flow compile, return the type that their field takes, and read only values that are known when they are
evaluated (docs/design/jobflow-api.md, section 3.4)."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from shared.expressions import Program, ResultType, Scope, compile_expression, flow_scope, item_scope, retry_scope
from shared.graphs.flow_graph import ExpressionPlace, PlacedExpression, written_expressions
from shared.model.step import Step
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
_WORD: Final = re.compile(r"[a-z0-9][-a-z0-9]*|[A-Za-z0-9_]+")


def expressions_compile(flow: FlowSubject) -> Iterator[Violation]:
    for path, step in flow.special:
        for written in written_expressions(step):
            yield from _faults(flow, step, f"{path}.{written.path}", written)
    retry = flow.spec.retry
    if retry is not None and retry.if_ is not None:
        written = PlacedExpression(ExpressionPlace.RETRY, "retry.if", retry.if_)
        yield from _faults(flow, None, "spec.retry.if", written)


def _faults(flow: FlowSubject, step: Step | None, path: str, written: PlacedExpression) -> Iterator[Violation]:
    compiled = compile_expression(written.text, _scope(flow, step, written), _RESULTS[written.place])
    if isinstance(compiled, Program):
        return
    for problem in compiled:
        yield Violation(path, str(problem), written.text)


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
    own = tuple(output.name for output in step.outputs) if step is not None and loop else ()
    return flow_scope(flow.sorted_names, upstream, outputs, params, loop=loop, own_outputs=own)
