"""The Command that stops a Job or a JobFlow (docs/design/jobflow-api.md, section 6)."""

from controller.decision import Create
from controller.jobflow.model.observed import ObservedChild
from shared.kinds import COMMAND
from shared.naming import command_name

__all__ = ["command_name", "terminate_command"]


def terminate_command(child: ObservedChild, namespace: str, action: str) -> Create:
    """The Command `action` on the child, which owns it. There is at most one at a time."""
    owner = {
        "apiVersion": child.kind.api_version,
        "kind": child.kind.kind,
        "name": child.name,
        "uid": child.uid,
        "controller": True,
    }
    body = {
        "apiVersion": COMMAND.api_version,
        "kind": COMMAND.kind,
        "metadata": {"name": command_name(child.name), "namespace": namespace, "ownerReferences": [owner]},
        "action": str(action),
        "target": owner,
        "reason": "JobFlow",
        "message": "terminated by its JobFlow",
    }
    return Create(COMMAND, body)
