"""Lookups of other objects by rules: from caches in the process, from given objects in tests and `jobflow lint`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from shared import kinds
from shared.kinds import Kind
from shared.model.types import Body
from shared.names import ROOT_QUEUE


class MissingObject(msgspec.Struct, frozen=True):
    """An object that the lookups do not contain. A live GET confirms its absence: one apply may have created both."""

    kind: Kind
    namespace: str
    name: str


class Lookups(Protocol):
    """Read-only access to other objects. Callers must not change the returned bodies."""

    @property
    def complete(self) -> bool:
        """Whether an object that is not found does not exist. False without a cluster: then absence is not a fault."""
        ...

    def get(self, kind: Kind, namespace: str, name: str) -> Body | None:
        """One object or None. `namespace` is '' for cluster-scoped kinds."""
        ...

    def all(self, kind: Kind, namespace: str = "") -> Iterable[Body]:
        """All objects of a kind; only those of `namespace` unless it is ''."""
        ...


class InMemoryLookups:
    """Lookups over given objects, for tests and linting. `below`: further lookups, e.g. to add results of live GETs."""

    def __init__(self, bodies: Iterable[tuple[Kind, Body]] = (), *, below: Lookups | None = None) -> None:
        self._below = below
        self._bodies: dict[tuple[Kind, str, str], Body] = {(kind, *_key(body)): body for kind, body in bodies}

    @property
    def complete(self) -> bool:
        return self._below.complete if self._below is not None else True

    def get(self, kind: Kind, namespace: str, name: str) -> Body | None:
        found = self._bodies.get((kind, namespace, name))
        return found if found is not None or self._below is None else self._below.get(kind, namespace, name)

    def all(self, kind: Kind, namespace: str = "") -> Iterator[Body]:
        mine = {key: body for key, body in self._bodies.items() if key[0] == kind and namespace in ("", key[1])}
        yield from mine.values()
        for body in self._below.all(kind, namespace) if self._below is not None else ():
            if (kind, *_key(body)) not in mine:
                yield body


class ReplacedLookups:
    """Lookups in which the objects of a kind are replaced, for example by a live list. `namespace`: only those of it."""

    def __init__(self, kind: Kind, namespace: str, bodies: Iterable[Body], *, below: Lookups) -> None:
        self._kind, self._namespace = kind, namespace
        self._bodies = {_key(body): body for body in bodies}
        self._below = below

    @property
    def complete(self) -> bool:
        return self._below.complete

    def get(self, kind: Kind, namespace: str, name: str) -> Body | None:
        if self._replaces(kind, namespace):
            return self._bodies.get((namespace, name))
        return self._below.get(kind, namespace, name)

    def all(self, kind: Kind, namespace: str = "") -> Iterable[Body]:
        """If only one namespace is replaced, all namespaces at once are as below."""
        if not self._replaces(kind, namespace):
            return self._below.all(kind, namespace)
        return (body for (where, _), body in self._bodies.items() if namespace in ("", where))

    def _replaces(self, kind: Kind, namespace: str) -> bool:
        return kind == self._kind and self._namespace in ("", namespace)


class OfflineLookups(InMemoryLookups):
    """Lookups without a cluster: nothing is found, and absence is not a fault."""

    @property
    def complete(self) -> bool:
        return False


def queue_children(lookups: Lookups, name: str) -> list[Body]:
    """Queues whose parent is `name`. A queue without a parent is a child of root."""
    return [body for body in lookups.all(kinds.QUEUE) if name_at(body) != name and parent_of(body) == name]


def parent_of(queue: Mapping[str, Any]) -> str:
    spec = queue.get("spec")
    parent = spec.get("parent") if isinstance(spec, dict) else None
    return parent if isinstance(parent, str) and parent else ROOT_QUEUE


def name_at(body: Mapping[str, Any]) -> str:
    return str(body["metadata"]["name"])


def _key(body: Body) -> tuple[str, str]:
    return str(body["metadata"].get("namespace") or ""), str(body["metadata"]["name"])
