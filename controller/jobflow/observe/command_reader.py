"""Reads the Commands on a flow from their cache."""

from collections.abc import Iterator

from controller.context import ControllerContext
from controller.jobflow.model.observed import FlowCommand
from controller.runtime.command_targets import TargetedCommands
from shared.key import Key
from shared.kinds import JOBFLOW
from shared.names import APPROVER
from shared.resource_steps.rights import read_claim


def flow_commands(context: ControllerContext) -> TargetedCommands:
    """The Commands on JobFlows."""
    return TargetedCommands(JOBFLOW, context.caches, context.api, context.applier)


def commands_on(commands: TargetedCommands, key: Key) -> Iterator[FlowCommand]:
    """Every Command on the flow `key` that is not being deleted."""
    for command in commands.of(key):
        metadata = command["metadata"]
        if "deletionTimestamp" not in metadata:
            yield FlowCommand(
                metadata["name"],
                metadata.get("uid", ""),
                str(command.get("action", "")),
                metadata.get("creationTimestamp") or "",
                command["target"].get("uid") or "",
                str(command.get("message") or ""),
                str((metadata.get("annotations") or {}).get(APPROVER) or ""),
                read_claim(metadata.get("annotations")),
            )
