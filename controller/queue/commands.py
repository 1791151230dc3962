"""Commands on Queues: OpenQueue and CloseQueue, meant for one uid, deleted after their effect is stored (docs/design/decisions.md, row 13)."""

from typing import Final

import msgspec

from controller.decision import Delete, Note
from controller.queue.observed import QueueSeen
from controller.queue.states import SHUT, closed
from shared.kinds import COMMAND
from shared.model.command import Command
from shared.model.phases import QueueState
from shared.names import ROOT_QUEUE

OPEN: Final = "OpenQueue"
CLOSE: Final = "CloseQueue"


class Obeyed(msgspec.Struct, frozen=True):
    """`cleanup` deletes the Commands; it must follow the status that has their effect. `opened`: by order, which ends
    what the parent did."""

    state: QueueState
    cleanup: tuple[Delete, ...] = ()
    notes: tuple[Note, ...] = ()
    opened: bool = False


def obey(seen: QueueSeen) -> Obeyed:
    """All Commands, oldest first. To obey one twice changes nothing."""
    result = Obeyed(seen.state)
    for command in sorted(seen.commands, key=_age):
        state, note = _effect(command, seen, result.state)
        metadata = command.metadata
        result = Obeyed(
            state,
            (*result.cleanup, Delete(COMMAND, metadata.namespace, metadata.name, metadata.uid)),
            (*result.notes, note),
            state is QueueState.OPEN and (result.opened or command.action == OPEN),
        )
    return result


def _age(command: Command) -> tuple[str, str]:
    return command.metadata.creation_timestamp or "", command.metadata.name


def _effect(command: Command, seen: QueueSeen, state: QueueState) -> tuple[QueueState, Note]:
    uid = command.target.uid if command.target else ""
    if uid and uid != seen.queue.metadata.uid:
        message = f"Command {command.metadata.name} is meant for another Queue of this name (uid {uid})"
        return state, Note("StaleCommand", message, "Warning")
    if command.action == CLOSE:
        if seen.name == ROOT_QUEUE:
            return state, Note(CLOSE, "queue root cannot be closed", "Warning")
        return closed(seen), Note(CLOSE, f"closed by Command {command.metadata.name}")
    if command.action == OPEN:
        if seen.parent in SHUT:
            message = f"queue {seen.name} cannot be opened: its parent {seen.queue.spec.parent} is {seen.parent}; open that first"
            return state, Note(OPEN, message, "Warning")
        return QueueState.OPEN, Note(OPEN, f"opened by Command {command.metadata.name}")
    message = f"Command {command.metadata.name}: {command.action!r} is neither {OPEN} nor {CLOSE}"
    return state, Note("UnknownCommand", message, "Warning")
