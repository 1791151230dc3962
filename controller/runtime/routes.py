"""Common ways from a changed object to the keys that must be reconciled."""

from collections.abc import Callable, Iterable

from controller.owner_references import controller_keys
from shared.key import Key, key_of
from shared.kinds import Kind
from shared.model.types import Body


def itself(old: Body | None, new: Body | None) -> Iterable[Key]:
    """The key of the changed object."""
    body = new or old
    return (key_of(body),) if body else ()


def its_controller(kind: Kind) -> Callable[[Body | None, Body | None], Iterable[Key]]:
    """The keys of the `kind` objects that are the controller of the old or of the new state."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        return {key for body in (old, new) if body for key in controller_keys(kind, body)}

    return wakes


def reference_of(old: Body | None, new: Body | None, field: Callable[[Body], Iterable[Key]]) -> Iterable[Key]:
    """The keys that `field` returns for the old or the new state."""
    return {key for body in (old, new) if body for key in field(body)}
