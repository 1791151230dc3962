"""Commands on JobFlows: taken down in status before they are deleted, so that none acts twice (jobflow-api.md 7)."""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from controller.decision import Delete, Note, Patch
from controller.jobflow import reasons
from controller.jobflow.decide.context import Turn
from controller.jobflow.observe.observed import CommandSeen
from shared.kinds import COMMAND, JOBFLOW
from shared.model.flow_status import StepStatus
from shared.model.phases import FlowAction, FlowOutcome, StepPhase
from shared.names import MAX_HANDLED_COMMANDS

_SAID: Final = 1024  # characters that an Event takes
_BROKEN: Final = (StepPhase.FAILED, StepPhase.TERMINATED)


def obey(turn: Turn) -> tuple[Delete, ...]:
    """Carry out the Commands that have not been yet, oldest first; the deletions that follow the status."""
    deletions = []
    commands = sorted(turn.seen.commands, key=lambda one: (one.created, one.name))
    if len(commands) > MAX_HANDLED_COMMANDS:  # no more at once than are remembered until they are deleted
        turn.wake_at(turn.now)
    for command in commands[:MAX_HANDLED_COMMANDS]:
        if command.target_uid not in ("", turn.seen.flow.metadata.uid):
            said = f"Command {command.name} is meant for another JobFlow of this name (uid {command.target_uid})"
            turn.notes.append(Note("StaleCommand", said, "Warning"))
        elif command.uid not in turn.handled:
            _ACTIONS.get(command.action, _unknown)(turn, command)
            turn.handled = (*turn.handled, command.uid)[-MAX_HANDLED_COMMANDS:]
            turn.urgent = True
        deletions.append(Delete(COMMAND, turn.seen.flow.metadata.namespace, command.name, command.uid))
    return tuple(deletions)


def _unknown(turn: Turn, command: CommandSeen) -> None:
    known = ", ".join(FlowAction)
    said = f'Command {command.name}: unknown action "{command.action}"; there are {known}'
    turn.notes.append(Note("UnknownCommand", said, "Warning"))


def _suspend(turn: Turn, command: CommandSeen) -> None:
    _set_suspend(turn, command, True)


def _resume(turn: Turn, command: CommandSeen) -> None:
    _set_suspend(turn, command, False)


def _set_suspend(turn: Turn, command: CommandSeen, value: bool) -> None:
    if turn.suspend is value:
        return
    metadata = turn.seen.flow.metadata
    if refusal := turn.seen.refusals.get(metadata.name):  # by a policy, say: the flow goes on as it is
        said = f"Command {command.name}: {command.action} was refused: {refusal.message}"
        turn.notes.append(Note("CommandRefused", said[:_SAID], "Warning"))
        return
    turn.suspend = value
    patch = Patch(JOBFLOW, metadata.namespace, metadata.name, {"spec": {"suspend": value}}, uid=metadata.uid)
    # What the last of several Commands says: patches are sent side by side.
    turn.patches[:] = [patch] if value is not turn.seen.flow.spec.suspend else []


def _terminate(turn: Turn, command: CommandSeen) -> None:
    if turn.completion_time is None and turn.flows_open:
        turn.outcome = FlowOutcome.TERMINATED


def _restart(turn: Turn, command: CommandSeen) -> None:
    for name in turn.steps:
        turn.steps[name] = _fresh(turn.steps[name])
    _begin_again(turn)


def _retry(turn: Turn, command: CommandSeen) -> None:
    again = {name for name in turn.plan.order if turn.steps[name].phase in _BROKEN}
    for name in turn.plan.order:
        state = turn.steps[name]
        if state.phase is StepPhase.SKIPPED and (
            state.reason in reasons.BAD_SKIPS or not again.isdisjoint(turn.plan.targets[name])
        ):
            again.add(name)
    if not again and not any(turn.steps[step.name].phase in _BROKEN for step in turn.plan.finals):
        return
    for name in again:
        turn.steps[name] = _resumed(turn.steps[name])
    for step in turn.plan.finals:
        turn.steps[step.name] = _fresh(turn.steps[step.name])
    _begin_again(turn)


def _begin_again(turn: Turn) -> None:
    turn.outcome = ""
    turn.start_time = None
    turn.completion_time = None
    turn.standing.recount()
    turn.reset = True


def _fresh(state: StepStatus) -> StepStatus:
    """As if it had never run, but for the attempt numbers, which only grow."""
    return StepStatus(
        name=state.name,
        attempts=state.attempts,
        attempt_base=state.attempts,
        jobs=state.jobs,
        pods=state.pods,
        last_attempt=state.last_attempt,
    )


def _resumed(state: StepStatus) -> StepStatus:
    """As `_fresh`, but a loop keeps the iterations that completed."""
    kept = state.iterations
    if kept is None or not kept.completed_indexes:
        return _fresh(state)
    iterations = replace(kept, running=0, running_indexes="", failed_indexes="", retries=())
    return replace(
        _fresh(state),
        phase=StepPhase.RUNNING,
        iterations=iterations,
        items_hash=state.items_hash,
        last=state.last,
    )


_ACTIONS: Final[dict[str, Callable[[Turn, CommandSeen], None]]] = {
    FlowAction.SUSPEND: _suspend,
    FlowAction.RESUME: _resume,
    FlowAction.TERMINATE: _terminate,
    FlowAction.RESTART: _restart,
    FlowAction.RETRY: _retry,
}
