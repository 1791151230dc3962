"""What the API server does to fields of a kind before it judges them: it drops nulls, and unknown fields silently, or refuses
those with kubectl's strict validation.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from shared.codec.api_words import remedy, type_of
from shared.crd import unknown
from shared.crd.definitions import DEFINITIONS
from shared.crd.schema import kind_schema
from shared.kinds import Kind
from shared.podtemplate.unknown import unknown_pod_fields
from shared.violation import Violation
from webhook.hints.names import did_you_mean

_METADATA: Final = (
    "annotations", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers",
    "generateName", "generation", "labels", "managedFields", "name", "namespace", "ownerReferences",
    "resourceVersion", "selfLink", "uid",
)  # fmt: skip
_LISTED: Final = 12


def unknown_fields(kind: Kind, body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(path, message) of every field that is not in the schema."""
    for path, name, known in unknown.unknown_fields(body, _schema(kind)):
        yield path, _message(name, known)
    for path, name, known in unknown_pod_fields(kind, body):
        yield path, _message(name, known)
    metadata = body.get("metadata")
    for name in metadata if isinstance(metadata, dict) else ():
        if name not in _METADATA:
            yield f"metadata.{name}", _message(name, _METADATA)


def texts_of_metadata(body: dict[str, Any]) -> Iterator[Violation]:
    """Labels and annotations that are no text: kubectl cannot send them."""
    metadata = body.get("metadata")
    given: dict[str, Any] = metadata if isinstance(metadata, dict) else {}
    for name in ("labels", "annotations"):
        values = given.get(name)
        for key, value in values.items() if isinstance(values, dict) else ():
            if value is not None and not isinstance(value, str):
                said = f"must be of type string{remedy(['string'], type_of(value))}"
                yield Violation(f"metadata.{name}[{key}]", said, value)


def without_dropped_nulls(kind: Kind, body: dict[str, Any]) -> dict[str, Any]:
    """A copy of `body` without the nulls that the API server drops: those of known fields that are not nullable."""
    stored: dict[str, Any] = _kept(body, _schema(kind))
    return stored


def _kept(value: Any, schema: dict[str, Any]) -> Any:
    if isinstance(value, list):
        items = schema.get("items") or {}
        return [_kept(item, items) for item in value]
    if not isinstance(value, dict):
        return value
    known, more = schema.get("properties") or {}, schema.get("additionalProperties")
    kept = {}
    for name, inner in value.items():
        of = known.get(name, more if isinstance(more, dict) else None)
        if of is None:
            kept[name] = inner
        elif inner is not None or of.get("nullable"):
            kept[name] = _kept(inner, of)
    return kept


@cache
def _schema(kind: Kind) -> dict[str, Any]:
    definition = next(each for each in DEFINITIONS if each.kind == kind)
    return kind_schema(definition.model, definition.mode)


def _message(name: str, known: tuple[str, ...]) -> str:
    hint = did_you_mean(name, known)
    if hint:
        return f"Unknown field{hint}"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"Unknown field; fields here: {', '.join(known[:_LISTED])}{more}"
