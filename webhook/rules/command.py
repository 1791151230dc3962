"""A Command names an existing action and a complete target (docs/design/volcano-behaviour.md, section 8)."""

from collections.abc import Iterator
from typing import Final

from shared import kinds
from shared.kinds import Kind
from shared.model.phases import FlowAction, JobAction, QueueAction
from shared.violation import Reason, Violation
from webhook.hints.names import quoted, supported_values
from webhook.subject.plain_subjects import CommandSubject

# Actions by kind of target. RestartPod, RestartTask and RestartPartition need a pod, which a Command cannot name.
ACTIONS: Final[dict[Kind, tuple[str, ...]]] = {
    kinds.JOB: tuple(
        action.value
        for action in JobAction
        if action not in (JobAction.RESTART_POD, JobAction.RESTART_TASK, JobAction.RESTART_PARTITION)
    ),
    kinds.QUEUE: tuple(action.value for action in QueueAction),
    kinds.JOBFLOW: tuple(action.value for action in FlowAction),
}


def command_has_a_target(command: CommandSubject) -> Iterator[Violation]:
    target = command.spec.target
    if target is None:
        yield Violation("target", "set the object that the Command acts on", reason=Reason.REQUIRED)
        return
    for field, value in (
        ("apiVersion", target.api_version),
        ("kind", target.kind),
        ("name", target.name),
        ("uid", target.uid),
    ):
        if not value:
            message = "required to identify the target object"
            yield Violation(f"target.{field}", message, reason=Reason.REQUIRED)


def command_target_takes_commands(command: CommandSubject) -> Iterator[Violation]:
    target = command.spec.target
    if target is not None and target.kind and _kind(command) is None:
        known = [f"{kind.kind} of {kind.api_version}" for kind in ACTIONS]
        message = f"{target.api_version} does not accept Commands; supported values: {quoted(known)}"
        yield Violation("target.kind", message, target.kind, Reason.NOT_SUPPORTED)


def command_action_is_known(command: CommandSubject) -> Iterator[Violation]:
    kind = _kind(command)
    if kind is not None and command.spec.action not in ACTIONS[kind]:
        message = f"not an action of a {kind.kind}; {supported_values(command.spec.action, ACTIONS[kind])}"
        yield Violation("action", message, command.spec.action, Reason.NOT_SUPPORTED)


def _kind(command: CommandSubject) -> Kind | None:
    target = command.spec.target
    wanted = (target.api_version, target.kind) if target else None
    return next((kind for kind in ACTIONS if (kind.api_version, kind.kind) == wanted), None)
