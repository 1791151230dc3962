"""What deciding code returns: data that describes writes. Only `controller.cluster.apply` carries them out."""

from collections.abc import Mapping, MutableMapping
from typing import TypeVar

import msgspec

from shared.kinds import Kind
from shared.model.types import Body

T = TypeVar("T")


class Create(msgspec.Struct, frozen=True):
    """Create `body` (with its controller ownerReference). An existing object with the same controller uid counts as created."""

    kind: Kind
    body: Body


class Delete(msgspec.Struct, frozen=True):
    """Delete one object. `uid` is a precondition: a later object of the same name is not deleted. NotFound counts as done."""

    kind: Kind
    namespace: str
    name: str
    uid: str
    propagation: str = "Background"  # Background | Foreground | Orphan


class Patch(msgspec.Struct, frozen=True):
    """Patch one object or a subresource of it: a JSON merge patch if `patch` is a dict, a JSON patch if it is a list."""

    kind: Kind
    namespace: str
    name: str
    patch: Body | list[Body]
    uid: str = ""
    subresource: str = ""


Action = Create | Delete | Patch
Child = tuple[Kind, str]
"""What an action is about: kind and name. The namespace is that of the reconciled object."""


def name_of(action: Action) -> str:
    return str(action.body["metadata"]["name"]) if isinstance(action, Create) else action.name


class Note(msgspec.Struct, frozen=True):
    """An Event on the reconciled object: `type` Normal or Warning, `reason` UpperCamelCase, `message` a sentence.

    `waits`: it says why something does not run yet.
    """

    reason: str
    message: str
    type: str = "Normal"
    waits: bool = False

    @property
    def important(self) -> bool:
        """Whether it is sent before others and not dropped for them."""
        return self.waits or self.type == "Warning"


class Refusal(msgspec.Struct, frozen=True):
    """An action that the API server refused. `code`: HTTP status; `at`: epoch seconds; `count`: refusals in a row;
    `leaving`: an old object has the name and is about to be deleted.
    """

    code: int
    message: str
    at: float
    count: int = 1
    leaving: bool = False

    @property
    def for_ever(self) -> bool:
        """A permanent error: retrying cannot help, because the object is malformed, too large or invalid."""
        return self.code in (400, 413, 422)


def add_refusals(known: MutableMapping[T, Refusal], refusals: Mapping[T, Refusal]) -> None:
    """Add new refusals to the known ones, counting how many came in a row."""
    for child, refusal in refusals.items():
        before = known.get(child)
        known[child] = msgspec.structs.replace(refusal, count=before.count + 1 if before else 1)


class Decision(msgspec.Struct, frozen=True):
    """Carried out in this order: first, actions, one status write, cleanup, notes.

    `first`: actions that `actions` depend on; when one of them is refused, nothing else is carried out;
    `status`: the whole new `.status`, assuming that every action succeeds, or None to leave the stored one;
    `cleanup`: actions that must not happen before that status is stored, such as deleting pods that it counts;
    `requeue_after`: seconds until the key must be reconciled again without a change, or None.
    """

    actions: tuple[Action, ...] = ()
    status: Body | None = None
    cleanup: tuple[Action, ...] = ()
    notes: tuple[Note, ...] = ()
    requeue_after: float | None = None
    first: tuple[Action, ...] = ()

    @property
    def writes(self) -> tuple[Action, ...]:
        """Every action, in order, without the status write."""
        return (*self.first, *self.actions, *self.cleanup)
