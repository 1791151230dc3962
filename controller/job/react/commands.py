"""Commands (bus.volcano.sh) on Jobs: stored first, deleted after, meant for one uid (decisions row 13)."""

from typing import Final

import msgspec

from controller.decision import Delete, Note
from controller.job.decide.defaults import Wanted
from controller.job.decide.record import Ledger
from controller.job.observe.observed import JobSeen
from controller.job.observe.pods_by_role import view
from controller.job.react.actions import act
from controller.job.react.events import Happening
from controller.job.react.transitions import MOVES
from shared import names
from shared.kinds import COMMAND
from shared.model.command import Command
from shared.model.phases import JobAction, JobEvent

ACTIONS: Final = {
    action.value: action
    for action in (
        JobAction.ABORT_JOB,
        JobAction.RESUME_JOB,
        JobAction.RESTART_JOB,
        JobAction.TERMINATE_JOB,
        JobAction.COMPLETE_JOB,
    )
}
"""What can be asked of a whole Job; the targeted restarts need a pod, which a Command cannot name."""


class Obeyed(msgspec.Struct, frozen=True):
    """`ledger` after the Commands; `cleanup` deletes them, which must follow the status that has their effect."""

    ledger: Ledger
    cleanup: tuple[Delete, ...] = ()
    notes: tuple[Note, ...] = ()


def obey(seen: JobSeen, ledger: Ledger, wanted: Wanted) -> Obeyed:
    """All Commands, oldest first; one whose uid is recorded has taken effect already."""
    state = Obeyed(ledger)
    for command in sorted(seen.commands, key=_age):
        state = _one(command, seen, state, wanted)
    return state


def _age(command: Command) -> tuple[str, str]:
    return command.metadata.creation_timestamp or "", command.metadata.name


def _one(command: Command, seen: JobSeen, state: Obeyed, wanted: Wanted) -> Obeyed:
    metadata = command.metadata
    cleanup = (*state.cleanup, Delete(COMMAND, metadata.namespace, metadata.name, metadata.uid))
    if metadata.uid in state.ledger.commands:
        return Obeyed(state.ledger, cleanup, state.notes)
    ledger, note = _effect(command, seen, state.ledger, wanted)
    return Obeyed(ledger, cleanup, (*state.notes, note))


def _effect(command: Command, seen: JobSeen, ledger: Ledger, wanted: Wanted) -> tuple[Ledger, Note]:
    """The ledger with the Command recorded, whether or not it meant anything."""
    recorded = ledger.but(commands=(*ledger.commands, command.metadata.uid)[-names.MAX_HANDLED_COMMANDS :])
    action = ACTIONS.get(command.action)
    if action is None:
        known = ", ".join(ACTIONS)
        return ledger, Note(
            "UnknownCommand", f"Command {command.metadata.name}: {command.action!r} is none of {known}", "Warning"
        )
    if command.target is not None and command.target.uid and command.target.uid != seen.job.metadata.uid:
        message = f"Command {command.metadata.name} is meant for another Job of this name (uid {command.target.uid})"
        return ledger, Note("StaleCommand", message, "Warning")
    if (ledger.phase, action) not in MOVES:
        return recorded, Note("CommandIgnored", f"{action} means nothing while the Job is {ledger.phase}", "Warning")
    told = f" ({command.message})" if command.message else ""
    happening = Happening(JobEvent.COMMAND_ISSUED, since=seen.now, what=f"Command {command.metadata.name}{told}")
    pods = view(seen.pods, ledger, wanted)
    changed = act(action, happening, command.reason or str(JobEvent.COMMAND_ISSUED), recorded, pods, wanted)
    return changed or recorded, Note(str(JobEvent.COMMAND_ISSUED), f"{action}: {happening.what}")
