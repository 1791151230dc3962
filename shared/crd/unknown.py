"""Finds fields that a schema does not have.

The API server drops them silently unless the client asks for strict validation, so `jobflow lint` and the webhook report
them.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from shared.crd.schema import Mode, job_spec_schema

Schema = dict[str, Any]
_PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
# (path of the field, its name, the known names at that place)
Unknown = tuple[str, str, tuple[str, ...]]


def unknown_fields(value: Any, schema: Schema, path: str = "") -> Iterator[Unknown]:
    """The fields of `value` that `schema` does not have. `path`: where `value` is."""
    if schema.get(_PRESERVE):
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from unknown_fields(item, schema.get("items", {}), f"{path}[{index}]")
    elif isinstance(value, dict):
        known = tuple(schema.get("properties", ()))
        for name, item in value.items():
            below = f"{path}.{name}" if path else name
            inner = _inner(schema, name)
            if inner is not None:
                yield from unknown_fields(item, inner, below)
            elif known:
                yield below, name, known


def unknown_in_job_spec(spec: Any) -> Iterator[Unknown]:
    """The unknown fields of a Job's spec."""
    yield from unknown_fields(spec, _job_spec(), "spec")


def schema_at(pointer: str) -> Schema | Unknown:
    """The schema at a JSON pointer (RFC 6901) into a Job's spec, or the first unknown field on the way.

    A pointer that cannot be followed for another reason, for example into a number, gives a schema that allows anything.
    """
    schema, path = _job_spec(), "spec"
    for part in pointer.split("/")[1:]:
        if schema.get(_PRESERVE):
            return schema
        name = part.replace("~1", "/").replace("~0", "~")
        if "items" in schema:
            schema, path = schema["items"], f"{path}[{name}]"
            continue
        inner, path = _inner(schema, name), f"{path}.{name}"
        if inner is None:
            known = tuple(schema.get("properties", ()))
            return (path, name, known) if known else {_PRESERVE: True}
        schema = inner
    return schema


def _inner(schema: Schema, name: str) -> Schema | None:
    """The schema of an object's field; None if the field is unknown."""
    found: Schema | None = schema.get("properties", {}).get(name)
    others = schema.get("additionalProperties")
    return found if found is not None else others if isinstance(others, dict) else None


@cache
def _job_spec() -> Schema:
    return job_spec_schema(Mode.PATCH)
