"""Commands (bus.volcano.sh) on Jobs. A Command is recorded before it is deleted, and applies to one uid
(docs/design/decisions.md, row 13).
"""

from typing import Final

import msgspec

from controller.decision import Delete, Note
from controller.job import reasons
from controller.job.model.defaults import EffectiveSpec
from controller.job.model.observed import JobObservation
from controller.job.model.pods_by_role import sort_by_role
from controller.job.model.record import JobRecord
from controller.job.react.actions import apply_action
from controller.job.react.events import LifecycleEvent
from controller.job.react.transitions import TRANSITIONS
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


class CommandsResult(msgspec.Struct, frozen=True):
    """The record after the Commands. `cleanup` deletes the Commands and must follow the status that has their effect."""

    record: JobRecord
    cleanup: tuple[Delete, ...] = ()
    notes: tuple[Note, ...] = ()


def apply_commands(observed: JobObservation, record: JobRecord, wanted: EffectiveSpec) -> CommandsResult:
    """Apply all Commands, oldest first. A Command whose uid is recorded has taken effect already."""
    state = CommandsResult(record)
    for command in sorted(observed.commands, key=_age):
        state = _one(command, observed, state, wanted)
    return state


def _age(command: Command) -> tuple[str, str]:
    return command.metadata.creation_timestamp or "", command.metadata.name


def _one(command: Command, observed: JobObservation, state: CommandsResult, wanted: EffectiveSpec) -> CommandsResult:
    metadata = command.metadata
    cleanup = (*state.cleanup, Delete(COMMAND, metadata.namespace, metadata.name, metadata.uid))
    if metadata.uid in state.record.commands:
        return CommandsResult(state.record, cleanup, state.notes)
    record, note = _effect(command, observed, state.record, wanted)
    return CommandsResult(record, cleanup, (*state.notes, note))


def _effect(
    command: Command, observed: JobObservation, record: JobRecord, wanted: EffectiveSpec
) -> tuple[JobRecord, Note]:
    """The record with the Command recorded, whether or not it had an effect."""
    recorded = record.replace(commands=(*record.commands, command.metadata.uid)[-names.MAX_HANDLED_COMMANDS :])
    action = ACTIONS.get(command.action)
    if action is None:
        known = ", ".join(ACTIONS)
        return record, Note(
            reasons.UNKNOWN_COMMAND,
            f"Command {command.metadata.name}: {command.action!r} is none of {known}",
            "Warning",
        )
    if command.target is not None and command.target.uid and command.target.uid != observed.job.metadata.uid:
        message = f"Command {command.metadata.name} is meant for another Job of this name (uid {command.target.uid})"
        return record, Note(reasons.STALE_COMMAND, message, "Warning")
    if (record.phase, action) not in TRANSITIONS:
        return recorded, Note(
            reasons.COMMAND_IGNORED, f"{action} has no effect while the Job is {record.phase}", "Warning"
        )
    text = f" ({command.message})" if command.message else ""
    event = LifecycleEvent(
        JobEvent.COMMAND_ISSUED, since=observed.now, message=f"Command {command.metadata.name}{text}"
    )
    pods = sort_by_role(observed.pods, record, wanted)
    changed = apply_action(action, event, command.reason or str(JobEvent.COMMAND_ISSUED), recorded, pods, wanted)
    return changed or recorded, Note(str(JobEvent.COMMAND_ISSUED), f"{action}: {event.message}")
