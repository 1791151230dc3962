"""Commands for Queues, OpenQueue and CloseQueue: for one uid, deleted after their effect is stored (docs/design/decisions.md, row 13)."""

from typing import Final

import msgspec

from controller.decision import Delete, Note
from controller.queue.observed import QueueObservation
from controller.queue.states import NOT_OPEN, closed
from shared.kinds import COMMAND
from shared.model.command import Command
from shared.model.phases import QueueState
from shared.names import ROOT_QUEUE

OPEN: Final = "OpenQueue"
CLOSE: Final = "CloseQueue"


class CommandEffects(msgspec.Struct, frozen=True):
    """`cleanup` deletes the Commands after the status with their effect is stored. `opened`: a Command opened the queue, so it
    no longer counts as closed by its parent."""

    state: QueueState
    cleanup: tuple[Delete, ...] = ()
    notes: tuple[Note, ...] = ()
    opened: bool = False


def command_effects(observed: QueueObservation) -> CommandEffects:
    """The effects of all Commands, the oldest first. A Command that is carried out twice has the same effect."""
    result = CommandEffects(observed.state)
    for command in sorted(observed.commands, key=_age):
        state, note = _effect(command, observed, result.state)
        metadata = command.metadata
        result = CommandEffects(
            state,
            (*result.cleanup, Delete(COMMAND, metadata.namespace, metadata.name, metadata.uid)),
            (*result.notes, note),
            state is QueueState.OPEN and (result.opened or command.action == OPEN),
        )
    return result


def _age(command: Command) -> tuple[str, str]:
    return command.metadata.creation_timestamp or "", command.metadata.name


def _effect(command: Command, observed: QueueObservation, state: QueueState) -> tuple[QueueState, Note]:
    uid = command.target.uid if command.target else ""
    if uid and uid != observed.queue.metadata.uid:
        message = f"Command {command.metadata.name} is for another Queue of this name (uid {uid})"
        return state, Note("StaleCommand", message, "Warning")
    if command.action == CLOSE:
        if observed.name == ROOT_QUEUE:
            return state, Note(CLOSE, "queue root cannot be closed", "Warning")
        return closed(observed), Note(CLOSE, f"closed by Command {command.metadata.name}")
    if command.action == OPEN:
        if observed.parent in NOT_OPEN:
            message = f"queue {observed.name} cannot be opened: its parent {observed.queue.spec.parent} is {observed.parent}; open that first"
            return state, Note(OPEN, message, "Warning")
        return QueueState.OPEN, Note(OPEN, f"opened by Command {command.metadata.name}")
    message = f"Command {command.metadata.name}: {command.action!r} is neither {OPEN} nor {CLOSE}"
    return state, Note("UnknownCommand", message, "Warning")
