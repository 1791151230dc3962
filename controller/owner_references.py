"""Reads ownerReferences: which object is the controller of another one."""

from collections.abc import Iterator

from shared.key import Key
from shared.kinds import Kind
from shared.model.types import Body


def controller_of(body: Body) -> Body:
    """The ownerReference of the controller of `body`, or an empty one."""
    for reference in body["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return dict(reference)
    return {}


def controller_keys(kind: Kind, body: Body) -> Iterator[Key]:
    """The key of the controller of `body` if it is a `kind`, else nothing."""
    reference = controller_of(body)
    if reference.get("kind") == kind.kind and reference.get("apiVersion", "").rpartition("/")[0] == kind.group:
        yield Key(body["metadata"].get("namespace", "") if kind.namespaced else "", reference["name"])


def by_controller_uid(body: Body) -> Iterator[str]:
    """Indexer: the uid of the controller."""
    reference = controller_of(body)
    if reference:
        yield str(reference.get("uid", ""))
