"""Metadata of the objects that controllers create for an owner: the controller reference, and copied annotations."""

from shared.kinds import Kind
from shared.model.types import Body
from shared.names import FOREIGN_ANNOTATION_PREFIXES, REQUESTED_AT, RESOURCE_KINDS


def controller_reference(kind: Kind, owner: Body) -> Body:
    """The ownerReference by which `owner`, a stored object of that kind, is the controller of its children."""
    metadata = owner["metadata"]
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def copied_annotations(metadata: Body) -> Body:
    """The annotations of a template that its children get: all but those that other tools wrote about the template,
    and claims, which only the objects have for which they were compared with somebody's rights."""
    found = metadata.get("annotations") or {}
    return {
        name: value
        for name, value in found.items()
        if not name.startswith(FOREIGN_ANNOTATION_PREFIXES) and name not in (RESOURCE_KINDS, REQUESTED_AT)
    }
