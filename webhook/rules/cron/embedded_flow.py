"""Rules of JobFlows, applied to the flow inside a CronJobFlow or a JobFlowTemplate."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial, wraps
from typing import Any, Protocol

import msgspec

from shared.graphs.nesting import MAX_LEVELS
from shared.violation import Violation
from webhook.subject.subjects import FlowSubject

Rule = Callable[[Any], Iterator[Violation]]
Warner = Callable[[Any], Iterator[str]]


class HasFlow(Protocol):
    """A subject that contains a flow. `flow`: None if it contains none; `flow_path`: path of the flow's fields."""

    @property
    def flow(self) -> FlowSubject | None: ...

    @property
    def flow_path(self) -> str: ...


def of_flow(rule: Rule) -> Rule:
    """A rule of JobFlows as a rule of the object that contains the flow; paths begin with the path of the flow."""

    @wraps(rule)
    def applied(outer: HasFlow) -> Iterator[Violation]:
        if outer.flow is None:
            return
        for fault in rule(outer.flow):
            yield msgspec.structs.replace(fault, path=_moved(fault.path, outer.flow_path))

    return applied


def of_inner_flows(rules: Sequence[Rule]) -> Rule:
    """The rules of JobFlows for the flows that steps write out, and for those within them."""

    def inner_flows_are_flows(outer: FlowSubject, level: int = 2) -> Iterator[Violation]:
        for path, inner in outer.inner if level <= MAX_LEVELS else ():
            below: Rule = partial(inner_flows_are_flows, level=level + 1)
            for rule in (*rules, below):
                for fault in rule(inner):
                    yield msgspec.structs.replace(fault, path=_moved(fault.path, path))

    return inner_flows_are_flows


def warned_of_inner_flows(warners: Sequence[Warner]) -> Warner:
    """The same for warnings."""

    def inner_flows(outer: FlowSubject, level: int = 2) -> Iterator[str]:
        for path, inner in outer.inner if level <= MAX_LEVELS else ():
            below: Warner = partial(inner_flows, level=level + 1)
            for warner in (*warners, below):
                yield from (f"{path}: {text}" for text in warner(inner))

    return inner_flows


def warned_of_flow(warner: Warner) -> Warner:
    """A warning about JobFlows as a warning about the object that contains the flow."""

    @wraps(warner)
    def applied(outer: HasFlow) -> Iterator[str]:
        if outer.flow is not None:
            yield from (_moved(text, outer.flow_path) for text in warner(outer.flow))

    return applied


def _moved(text: str, place: str) -> str:
    """A path, or a text that begins with one, with the path of the flow's spec before it."""
    return f"{place}{text.removeprefix('spec')}" if text == "spec" or text.startswith("spec.") else text
