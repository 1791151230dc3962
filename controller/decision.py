"""What deciding code returns: data that says what to do. Only `controller.cluster.apply` acts on it."""

import msgspec

from shared.kinds import Kind
from shared.model.types import Body


class Create(msgspec.Struct, frozen=True):
    """Create `body` (with its controller ownerReference). An object of that name with the same controller uid counts as made."""

    kind: Kind
    body: Body


class Delete(msgspec.Struct, frozen=True):
    """Delete one object; `uid` is a precondition so that a namesake is never hit. NotFound counts as done."""

    kind: Kind
    namespace: str
    name: str
    uid: str
    propagation: str = "Background"  # Background | Foreground | Orphan


class Patch(msgspec.Struct, frozen=True):
    """JSON merge patch (`patch` a dict) or JSON patch (a list) of one object's main resource or a subresource."""

    kind: Kind
    namespace: str
    name: str
    patch: Body | list[Body]
    uid: str = ""
    subresource: str = ""


Action = Create | Delete | Patch


class Note(msgspec.Struct, frozen=True):
    """An Event on the reconciled object: `type` Normal or Warning, `reason` UpperCamelCase, `message` a sentence."""

    reason: str
    message: str
    type: str = "Normal"


class Refusal(msgspec.Struct, frozen=True):
    """A create that the API server refused. `code`: HTTP status; `at`: epoch seconds; `count`: refusals in a row."""

    code: int
    message: str
    at: float
    count: int = 1

    @property
    def for_ever(self) -> bool:
        """Whether the very object is at fault, so that trying again is no use: malformed, too large, invalid."""
        return self.code in (400, 413, 422)


class Decision(msgspec.Struct, frozen=True):
    """Performed in this order: actions, one status write, cleanup, notes.

    `status`: the whole new `.status`, presuming that every action succeeds, or None to leave the stored one;
    `cleanup`: actions that must not happen before that status is stored (deleting what it accounts for);
    `requeue_after`: seconds until the key must be looked at again though nothing changed, or None.
    """

    actions: tuple[Action, ...] = ()
    status: Body | None = None
    cleanup: tuple[Action, ...] = ()
    notes: tuple[Note, ...] = ()
    requeue_after: float | None = None
