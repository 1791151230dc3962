"""Rules of JobFlows, applied to the flow inside a CronJobFlow or a JobFlowTemplate."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import msgspec

from shared.violation import Violation
from webhook.subject.subjects import FlowSubject


class HasFlow(Protocol):
    """A subject that contains a flow. `flow`: None if there is none; `flow_path`: where its fields stand."""

    @property
    def flow(self) -> FlowSubject | None: ...

    @property
    def flow_path(self) -> str: ...


def of_flow(rule: Callable[[Any], Iterator[Violation]]) -> Callable[[Any], Iterator[Violation]]:
    """A rule of JobFlows as a rule of what contains the flow; paths point to the flow's place."""

    def applied(outer: HasFlow) -> Iterator[Violation]:
        if outer.flow is None:
            return
        for fault in rule(outer.flow):
            yield msgspec.structs.replace(fault, path=_moved(fault.path, outer.flow_path))

    return applied


def warned_of_flow(warner: Callable[[Any], Iterator[str]]) -> Callable[[Any], Iterator[str]]:
    """A warning about JobFlows as one about what contains the flow."""

    def applied(outer: HasFlow) -> Iterator[str]:
        if outer.flow is not None:
            yield from warner(outer.flow)

    return applied


def _moved(path: str, place: str) -> str:
    return f"{place}{path.removeprefix('spec')}" if path.startswith("spec") else path
