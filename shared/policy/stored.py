"""Stored objects in the form in which policies are evaluated: for the controller's scan and `jobflow policy scan`. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from shared.kinds import JOBTEMPLATE, Kind
from shared.model.types import Body
from shared.policy.census import StoredCensus
from shared.policy.context import PolicyContext
from shared.policy.embedded import EMBEDDED, Embedded
from shared.policy.quota.counted import COUNTED


class StoredView(msgspec.Struct, frozen=True):
    """What the evaluation of stored objects needs to know of others. `namespace`: the Namespace of that name, or None;
    `templates`: (namespace, name) of the JobTemplates that exist."""

    namespace: Callable[[str], Body | None]
    templates: frozenset[tuple[str, str]]
    census: StoredCensus
    now: float | None = None

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
            census=None if embedded else self.census,
            embedded=embedded,
            now=self.now,
        )


def view_of(
    stored: Mapping[Kind, Iterable[Body]], namespaces: Mapping[str, Body], now: float | None = None
) -> StoredView:
    """The view of objects that are all at hand."""
    census = StoredCensus(namespaces.get)
    for kind in COUNTED:
        for body in stored.get(kind, ()):
            census.add(kind, body)
    keys = ((each["metadata"].get("namespace", ""), each["metadata"]["name"]) for each in stored.get(JOBTEMPLATE, ()))
    return StoredView(namespaces.get, frozenset(keys), census, now)
