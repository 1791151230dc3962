"""Common ways from a changed object to the keys it concerns."""

from collections.abc import Callable, Iterable, Iterator

from shared.key import Key, key_of
from shared.kinds import Kind
from shared.model.types import Body


def itself(old: Body | None, new: Body | None) -> Iterable[Key]:
    """The object's own key."""
    body = new or old
    return (key_of(body),) if body else ()


def its_controller(kind: Kind) -> Callable[[Body | None, Body | None], Iterable[Key]]:
    """The keys of the `kind` objects that are controller of the old or the new state."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        return {key for body in (old, new) if body for key in controllers_of(kind, body)}

    return wakes


def controllers_of(kind: Kind, body: Body) -> Iterator[Key]:
    """At most one key: the `kind` object that is controller of `body`. Usable as an indexer's core."""
    metadata = body["metadata"]
    for reference in metadata.get("ownerReferences") or ():
        if (
            reference.get("controller")
            and reference.get("kind") == kind.kind
            and reference.get("apiVersion", "").rpartition("/")[0] == kind.group
        ):
            yield Key(metadata.get("namespace", "") if kind.namespaced else "", reference["name"])


def by_controller_uid(body: Body) -> Iterator[str]:
    """Indexer: the uid of the controlling owner."""
    for reference in body["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            yield str(reference.get("uid", ""))


def reference_of(old: Body | None, new: Body | None, field: Callable[[Body], Iterable[Key]]) -> Iterable[Key]:
    """The keys that `field` finds in the old or the new state."""
    return {key for body in (old, new) if body for key in field(body)}
