"""Commands on JobFlows. Their uids are stored in status before they are deleted, so none acts twice (docs/design/jobflow-api.md, section 7)."""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from controller.decision import Delete, Note, Patch
from controller.jobflow import reasons
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import FlowCommand
from shared.kinds import COMMAND, JOBFLOW
from shared.model.flow_status import StepStatus
from shared.model.phases import FlowAction, FlowOutcome, StepPhase
from shared.names import MAX_HANDLED_COMMANDS

_SAID: Final = 1024  # characters that an Event takes
_BROKEN: Final = (StepPhase.FAILED, StepPhase.TERMINATED)


def run_commands(context: FlowContext) -> tuple[Delete, ...]:
    """Carry out new Commands, oldest first; returns the deletions to do after the status is stored."""
    deletions = []
    commands = sorted(context.observed.commands, key=lambda one: (one.created, one.name))
    if len(commands) > MAX_HANDLED_COMMANDS:  # no more at once than are remembered until they are deleted
        context.wake_at(context.now)
    for command in commands[:MAX_HANDLED_COMMANDS]:
        if command.target_uid not in ("", context.observed.flow.metadata.uid):
            said = f"Command {command.name} is meant for another JobFlow of this name (uid {command.target_uid})"
            context.notes.append(Note("StaleCommand", said, "Warning"))
        elif command.uid not in context.handled:
            _ACTIONS.get(command.action, _unknown)(context, command)
            context.handled = (*context.handled, command.uid)[-MAX_HANDLED_COMMANDS:]
            context.urgent = True
        deletions.append(Delete(COMMAND, context.observed.flow.metadata.namespace, command.name, command.uid))
    return tuple(deletions)


def _unknown(context: FlowContext, command: FlowCommand) -> None:
    known = ", ".join(FlowAction)
    said = f'Command {command.name}: unknown action "{command.action}"; there are {known}'
    context.notes.append(Note("UnknownCommand", said, "Warning"))


def _suspend(context: FlowContext, command: FlowCommand) -> None:
    _set_suspend(context, command, True)


def _resume(context: FlowContext, command: FlowCommand) -> None:
    _set_suspend(context, command, False)


def _set_suspend(context: FlowContext, command: FlowCommand, value: bool) -> None:
    if context.suspend is value:
        _without_effect(context, command, f"the flow is {'suspended already' if value else 'not suspended'}")
        return
    metadata = context.observed.flow.metadata
    if refusal := context.observed.refusals.get(metadata.name):  # by a policy, say: the flow goes on as it is
        said = f"Command {command.name}: {command.action} was refused: {refusal.message}"
        context.notes.append(Note("CommandRefused", said[:_SAID], "Warning"))
        return
    context.suspend = value
    patch = Patch(JOBFLOW, metadata.namespace, metadata.name, {"spec": {"suspend": value}}, uid=metadata.uid)
    # Only the last of several Commands counts: patches are sent in parallel.
    context.patches[:] = [patch] if value is not context.observed.flow.spec.suspend else []


def _terminate(context: FlowContext, command: FlowCommand) -> None:
    if context.completion_time is not None:
        _without_effect(context, command, "the flow has ended")
    elif not context.flows_open:
        said = "only `finally` runs, which a stop does not end; set spec.finallyDeadlineSeconds to limit it"
        _without_effect(context, command, said)
    elif context.stopping:
        _without_effect(context, command, "the flow is being stopped already")
    else:
        context.outcome = FlowOutcome.TERMINATED


def _without_effect(context: FlowContext, command: FlowCommand, why: str) -> None:
    said = f"Command {command.name}: {command.action} has no effect: {why}"
    context.notes.append(Note("CommandWithoutEffect", said, "Warning"))


def _restart(context: FlowContext, command: FlowCommand) -> None:
    for name in context.steps:
        context.steps[name] = _fresh(context.steps[name])
    _begin_again(context)


def _retry(context: FlowContext, command: FlowCommand) -> None:
    again = {name for name in context.plan.order if context.steps[name].phase in _BROKEN}
    for name in context.plan.order:
        state = context.steps[name]
        if state.phase is StepPhase.SKIPPED and (
            state.reason in reasons.BAD_SKIPS or not again.isdisjoint(context.plan.targets[name])
        ):
            again.add(name)
    if not again and not any(context.steps[step.name].phase in _BROKEN for step in context.plan.finals):
        _without_effect(context, command, "none of the flow's steps has failed")
        return
    for name in again:
        context.steps[name] = _resumed(context.steps[name])
    for step in context.plan.finals:
        context.steps[step.name] = _fresh(context.steps[step.name])
    _begin_again(context)


def _begin_again(context: FlowContext) -> None:
    context.outcome = ""
    context.start_time = None
    context.completion_time = None
    context.finally_start_time = None
    context.finally_outcome = ""
    context.step_states.recount()
    context.reset = True


def _fresh(state: StepStatus) -> StepStatus:
    """The state of a step that has not run since. Attempt numbers go on from the old ones."""
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
    iterations = replace(
        kept, running=0, running_indexes="", failed_indexes="", terminated_indexes="", not_started="", retries=()
    )
    return replace(
        _fresh(state),
        phase=StepPhase.RUNNING,
        iterations=iterations,
        items_hash=state.items_hash,
        last=state.last,
    )


_ACTIONS: Final[dict[str, Callable[[FlowContext, FlowCommand], None]]] = {
    FlowAction.SUSPEND: _suspend,
    FlowAction.RESUME: _resume,
    FlowAction.TERMINATE: _terminate,
    FlowAction.RESTART: _restart,
    FlowAction.RETRY: _retry,
}
