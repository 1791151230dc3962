"""Reads what the metadata of a child says, whatever its kind: its owner, and the step that it was created for."""

from controller.jobflow.model.observed import ObservedChild
from controller.owner_references import controller_of
from shared.kinds import Kind
from shared.model.types import Body
from shared.names import ATTEMPT, ITERATION, STEP, STEP_DIGEST


def parse_child(kind: Kind, body: Body) -> ObservedChild:
    """The child without its status, so that it has not ended."""
    metadata, owner = body["metadata"], controller_of(body)
    labels = metadata.get("labels") or {}
    return ObservedChild(
        name=metadata["name"],
        kind=kind,
        uid=metadata.get("uid", ""),
        owner=f"{owner.get('kind', '')}/{owner.get('name', '')}" if owner else "",
        owner_uid=str(owner.get("uid", "")),
        deleting="deletionTimestamp" in metadata,
        step=labels.get(STEP, ""),
        index=_number(labels.get(ITERATION)),
        attempt=_number(labels.get(ATTEMPT)) or 0,
        digest=(metadata.get("annotations") or {}).get(STEP_DIGEST, ""),
        created=metadata.get("creationTimestamp") or "",
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None
