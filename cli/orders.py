"""Commands (bus.volcano.sh): how a person's wish reaches the controller. Pure."""

from typing import Any

from shared.kinds import COMMAND

Body = dict[str, Any]


def order(target: Body, action: str, verb: str, namespace: str) -> Body:
    """A Command for `target`, which owns it, so that it goes with its target. `verb`: part of its name."""
    metadata = target["metadata"]
    reference = {
        "apiVersion": target["apiVersion"],
        "kind": target["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": False,
    }
    return {
        "apiVersion": COMMAND.api_version,
        "kind": COMMAND.kind,
        "metadata": {
            "generateName": f"{metadata['name']}-{verb}-",
            "namespace": namespace,
            "ownerReferences": [reference],
        },
        "action": action,
        "target": reference,
        "reason": "jobflow",
        "message": f"jobflow {verb} {metadata['name']}",
    }
