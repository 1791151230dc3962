"""Stored objects in the form in which policies are evaluated: for the controller's scan and `jobflow policy scan`. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from shared.kinds import JOB, JOBFLOW, JOBTEMPLATE, Kind
from shared.model.types import Body
from shared.policy.context import PolicyContext
from shared.policy.embedded import EMBEDDED, Embedded
from shared.policy.running import is_running

JUDGED: Final[tuple[Kind, ...]] = (JOBFLOW, JOBTEMPLATE, JOB)
OUTER: Final[tuple[Kind, ...]] = tuple(each.outer for each in EMBEDDED.values())
"""Kinds that contain a Job or JobFlow, which is what policies judge."""

Age = tuple[str, str]


class RunningAges:
    """The running JobFlows of each namespace by age; of too many, the youngest ones exceed the limit."""

    def __init__(self) -> None:
        self._ages: dict[str, list[Age]] = defaultdict(list)

    def add(self, flow: Body) -> None:
        """Count the flow if it runs."""
        if is_running(flow):
            self._ages[flow["metadata"]["namespace"]].append(_age(flow))

    def older(self, flow: Body) -> int:
        """How many running flows of its namespace are older than a running flow; 0 for one that does not run."""
        ages = self._ages.get(flow["metadata"].get("namespace", ""), ())
        return sum(1 for age in ages if age < _age(flow)) if is_running(flow) else 0


class StoredView(msgspec.Struct, frozen=True):
    """What the evaluation of stored objects needs to know of others. `namespace`: the Namespace of that name, or None;
    `templates`: (namespace, name) of the JobTemplates that exist."""

    namespace: Callable[[str], Body | None]
    templates: frozenset[tuple[str, str]]
    running: RunningAges

    def contexts(self, kind: Kind, body: Body) -> Iterator[PolicyContext]:
        """The contexts of one stored object: none if it is being deleted, or contains nothing that policies judge."""
        if "deletionTimestamp" in body["metadata"]:
            return
        embedded = EMBEDDED.get((kind.group, kind.kind))
        if embedded is None:
            yield self._context(kind, body)
        elif (inner := embedded.body(body)) is not None:
            yield self._context(embedded.kind, inner, embedded)

    def _context(self, kind: Kind, body: Body, embedded: Embedded | None = None) -> PolicyContext:
        namespace = body["metadata"].get("namespace", "")
        return PolicyContext(
            kind=kind,
            body=body,
            namespace=namespace,
            namespace_body=self.namespace(namespace),
            template_exists=lambda name: (namespace, name) in self.templates,
            running_flows=None if embedded else lambda: self.running.older(body),
            embedded=embedded,
        )


def view_of(stored: Mapping[Kind, Iterable[Body]], namespaces: Mapping[str, Body]) -> StoredView:
    """The view of objects that are all at hand."""
    running = RunningAges()
    for flow in stored.get(JOBFLOW, ()):
        running.add(flow)
    keys = ((each["metadata"].get("namespace", ""), each["metadata"]["name"]) for each in stored.get(JOBTEMPLATE, ()))
    return StoredView(namespaces.get, frozenset(keys), running)


def _age(flow: Body) -> Age:
    return str(flow["metadata"].get("creationTimestamp", "")), flow["metadata"]["name"]
