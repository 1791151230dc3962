"""Fields that no schema knows. The API server drops them in silence, or refuses them under kubectl's strict validation."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from shared.crd.definitions import DEFINITIONS
from shared.crd.schema import kind_schema
from shared.kinds import Kind
from webhook.words import did_you_mean

Schema = dict[str, Any]
_PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
_METADATA: Final = (
    "annotations", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers",
    "generateName", "generation", "labels", "managedFields", "name", "namespace", "ownerReferences",
    "resourceVersion", "selfLink", "uid",
)  # fmt: skip
_LISTED: Final = 12


def unknown_fields(kind: Kind, body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(path, what is wrong) of every field that the API server does not know."""
    yield from _unknown(body, _schema(kind), "")
    metadata = body.get("metadata")
    for name in metadata if isinstance(metadata, dict) else ():
        if name not in _METADATA:
            yield f"metadata.{name}", _message(name, _METADATA)


@cache
def _schema(kind: Kind) -> Schema:
    definition = next(each for each in DEFINITIONS if each.kind == kind)
    return kind_schema(definition.model, definition.mode)


def _unknown(value: Any, schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    if schema.get(_PRESERVE):
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown(item, schema.get("items", {}), f"{path}[{index}]")
    elif isinstance(value, dict):
        others = schema.get("additionalProperties")
        known = schema.get("properties")
        for name, item in value.items():
            below = f"{path}.{name}" if path else name
            if known is not None and name in known:
                yield from _unknown(item, known[name], below)
            elif others is not None:
                yield from _unknown(item, others, below)
            elif known is not None:
                yield below, _message(name, tuple(known))


def _message(name: str, known: tuple[str, ...]) -> str:
    hint = did_you_mean(name, known)
    if hint:
        return f"Unknown field{hint}"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"Unknown field; known here: {', '.join(known[:_LISTED])}{more}"
