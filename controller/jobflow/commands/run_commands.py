"""Carries out Commands on JobFlows. Their uids are stored in status before they are deleted, so none acts twice."""

from collections.abc import Callable, Iterator
from typing import Final

from controller.decision import Delete, Note
from controller.jobflow.commands.again import restart, retry
from controller.jobflow.commands.approval import approve
from controller.jobflow.commands.effect import CommandEffect, Effect, refused
from controller.jobflow.commands.stop import stop
from controller.jobflow.commands.suspension import resume, suspend
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import FlowCommand, ObservedFlow
from shared.kinds import COMMAND
from shared.model.command_message import MessageFault
from shared.model.flow_status import CommandResult
from shared.model.phases import FlowAction
from shared.names import MAX_HANDLED_COMMANDS

_SAID: Final = 1024  # characters that an Event takes
_RESULTS: Final = 5  # kept in status
_STORED: Final = 512  # characters of a result in status
_ACTIONS: Final[dict[str, Callable[[FlowContext, FlowCommand], CommandEffect]]] = {
    FlowAction.SUSPEND: suspend,
    FlowAction.RESUME: resume,
    FlowAction.TERMINATE: stop,
    FlowAction.RETRY: retry,
    FlowAction.RESTART: restart,
    FlowAction.APPROVE: approve,
}
_EVENTS: Final = {  # the reason of the Event, and how its message continues after the action
    Effect.WITHOUT_EFFECT: ("CommandWithoutEffect", "has no effect"),
    Effect.REFUSED: ("CommandRefused", "was refused"),
}


def run_commands(context: FlowContext) -> tuple[Delete, ...]:
    """Carry out new Commands, oldest first; returns the deletions to do after the status is stored.

    A Command that changes the spec ends it: nothing else may happen before that change (`context.spec_change`).
    """
    deletions = []
    commands = _oldest_first(context.observed)
    if len(commands) > MAX_HANDLED_COMMANDS:  # no more at once than are remembered until they are deleted
        context.wake_at(context.now)
    for command in commands[:MAX_HANDLED_COMMANDS]:
        if not _is_meant(context, command):
            said = f"Command {command.name} is meant for another JobFlow of this name (uid {command.target_uid})"
            context.notes.append(Note("StaleCommand", said, "Warning"))
        elif command.uid not in context.handled:
            found = _carry_out(context, command)
            if found.effect is Effect.CHANGES_SPEC:
                _postpone(context)
                break
            if found.effect is Effect.HELD:
                continue
            _record(context, command, found)
        deletions.append(_deletion(context.observed, command))
    return tuple(deletions)


def _postpone(context: FlowContext) -> None:
    """Let the status with the Commands carried out in this pass be stored before the spec is changed."""
    if context.handled != context.status.handled_commands:
        context.spec_change = None
        context.wake_at(context.now)


def without_effect_on_ended(observed: ObservedFlow, why: str) -> Iterator[tuple[Delete, Note]]:
    """What to do with Commands on a flow that is never changed: they are deleted, and an Event says why."""
    for command in _oldest_first(observed):
        said = f"Command {command.name}: {command.action} has no effect: {why}"
        yield _deletion(observed, command), Note("CommandWithoutEffect", said[:_SAID], "Warning")


def _oldest_first(observed: ObservedFlow) -> list[FlowCommand]:
    return sorted(observed.commands, key=lambda one: (one.created, one.name))


def _is_meant(context: FlowContext, command: FlowCommand) -> bool:
    return command.target_uid in ("", context.observed.flow.metadata.uid)


def _deletion(observed: ObservedFlow, command: FlowCommand) -> Delete:
    return Delete(COMMAND, observed.flow.metadata.namespace, command.name, command.uid)


def _carry_out(context: FlowContext, command: FlowCommand) -> CommandEffect:
    action = _ACTIONS.get(command.action)
    if action is None:
        known = ", ".join(FlowAction)
        return CommandEffect(Effect.UNKNOWN, f'unknown action "{command.action}"; there are {known}')
    try:
        return action(context, command)
    except MessageFault as fault:
        return refused(f"{fault.field}: {fault}")


def _record(context: FlowContext, command: FlowCommand, found: CommandEffect) -> None:
    context.handled = (*context.handled, command.uid)[-MAX_HANDLED_COMMANDS:]
    result = CommandResult(
        name=command.name,
        uid=command.uid,
        action=command.action,
        result=found.effect,
        message=found.message[:_STORED],
        time=context.now_text,
    )
    context.command_results = (*context.command_results, result)[-_RESULTS:]
    context.urgent = True
    if found.effect is Effect.DONE:
        context.wake_at(context.now)  # Jobs were read before the Command: they are read again with what it has changed
    if found.effect is Effect.UNKNOWN:
        context.notes.append(Note("UnknownCommand", f"Command {command.name}: {found.message}"[:_SAID], "Warning"))
    elif found.effect in _EVENTS:
        reason, words = _EVENTS[found.effect]
        said = f"Command {command.name}: {command.action} {words}: {found.message}"
        context.notes.append(Note(reason, said[:_SAID], "Warning"))
