"""What rules may know about other objects: plain questions, answered from caches by the process and from a dict in tests."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from shared import kinds
from shared.kinds import Kind
from shared.model.types import Body
from shared.names import ROOT_QUEUE


class MissingObject(msgspec.Struct, frozen=True):
    """Something that a refusal says does not exist; to be confirmed by a live GET (one apply may carry both)."""

    kind: Kind
    namespace: str
    name: str


class Lookups(Protocol):
    """Read-only; bodies must not be changed."""

    @property
    def complete(self) -> bool:
        """Whether what is not found does not exist. False for a linter without a cluster: absence is no fault then."""
        ...

    def get(self, kind: Kind, namespace: str, name: str) -> Body | None:
        """One object. `namespace` is '' for cluster-scoped kinds."""
        ...

    def all(self, kind: Kind, namespace: str = "") -> Iterable[Body]:
        """Every object of a kind, of one namespace if given."""
        ...


class InMemoryLookups:
    """Lookups over given objects: for tests, for linting, and over others to add what a live GET has found."""

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


class OfflineLookups(InMemoryLookups):
    """For a linter without a cluster: nothing is found and nothing is missing."""

    @property
    def complete(self) -> bool:
        return False


def queue_children(lookups: Lookups, name: str) -> list[Body]:
    """Queues whose parent is `name`; a queue without a parent is a child of root."""
    return [body for body in lookups.all(kinds.QUEUE) if name_at(body) != name and parent_of(body) == name]


def parent_of(queue: Mapping[str, Any]) -> str:
    spec = queue.get("spec")
    parent = spec.get("parent") if isinstance(spec, dict) else None
    return parent if isinstance(parent, str) and parent else ROOT_QUEUE


def name_at(body: Mapping[str, Any]) -> str:
    return str(body["metadata"]["name"])


def _key(body: Body) -> tuple[str, str]:
    return str(body["metadata"].get("namespace") or ""), str(body["metadata"]["name"])
