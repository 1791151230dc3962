"""Commands on children: they stop a Job or a JobFlow, or make a JobFlow continue (docs/design/jobflow-api.md, section
6)."""

from controller.decision import Create
from controller.jobflow.model.observed import ObservedChild
from shared.kinds import COMMAND
from shared.model.phases import FlowAction
from shared.names import BY_JOBFLOW, RESOURCE_KINDS
from shared.naming import command_name
from shared.resource_steps.rights import NO_CLAIM, Claim, write_claim


def child_command(
    child: ObservedChild, namespace: str, action: str, claim: Claim = NO_CLAIM, message: str = ""
) -> Create:
    """The Command `action` on the child, which owns it. There is at most one of a name at a time. `message`: its JSON."""
    owner = {
        "apiVersion": child.kind.api_version,
        "kind": child.kind.kind,
        "name": child.name,
        "uid": child.uid,
        "controller": True,
    }
    is_retry = action == FlowAction.RETRY
    claimed = {"annotations": {RESOURCE_KINDS: write_claim(claim)}} if claim else {}
    body = {
        "apiVersion": COMMAND.api_version,
        "kind": COMMAND.kind,
        "metadata": {"name": _name(child, action), "namespace": namespace, "ownerReferences": [owner], **claimed},
        "action": str(action),
        "target": owner,
        "reason": BY_JOBFLOW,
        "message": message or ("" if is_retry else "terminated by its JobFlow"),
    }
    return Create(COMMAND, body)


def stop_command_name(child: ObservedChild) -> str:
    """The name of the Command that stops the child."""
    return command_name(child.name)


def _name(child: ObservedChild, action: str) -> str:
    return f"{child.name}-retry" if action == FlowAction.RETRY else command_name(child.name)
