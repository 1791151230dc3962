"""Decoding by schema: drop unknown fields and nulls, and set defaults.

For CRDs the rules are those of structural schemas; for built-in kinds those of the typed decoder (plus type faults).
"""

import copy
from collections.abc import Callable
from typing import Any

from local.apiserver.schema import wireformats
from shared import quantity
from shared.model.types import Body

Resolve = Callable[[Body], Body]
EMBEDDED = ("apiVersion", "kind", "metadata")


def same(schema: Body) -> Body:
    return schema


def prune(value: Any, schema: Body, resolve: Resolve, path: str, unknown: list[str], embedded: bool = False) -> None:
    """Remove fields that `schema` does not declare from `value`, in place, and add their paths to `unknown`."""
    if isinstance(value, dict):
        _prune_object(value, resolve(schema), resolve, path, unknown, embedded)
    elif isinstance(value, list):
        items = resolve(schema).get("items")
        if items is not None:
            for index, item in enumerate(value):
                prune(item, items, resolve, f"{path}[{index}]", unknown)


def _prune_object(value: Body, schema: Body, resolve: Resolve, path: str, unknown: list[str], embedded: bool) -> None:
    properties = schema.get("properties") or {}
    more = schema.get("additionalProperties")
    keeps = schema.get("x-kubernetes-preserve-unknown-fields", False)
    embedded = embedded or schema.get("x-kubernetes-embedded-resource", False)
    for name in list(value):
        inner = f"{path}.{name}" if path else name
        if name in properties and not (embedded and name == "metadata"):
            prune(value[name], properties[name], resolve, inner, unknown)
        elif embedded and name in EMBEDDED:
            continue
        elif more:
            if isinstance(more, dict):
                prune(value[name], more, resolve, inner, unknown)
        elif not keeps:
            unknown.append(inner)
            del value[name]


def default(value: Any, schema: Body) -> None:
    """Set the defaults of a structural schema, in place, after removing nulls of fields that are not nullable."""
    if isinstance(value, dict):
        properties = schema.get("properties") or {}
        for name, inner in properties.items():
            if name in value and value[name] is None and not inner.get("nullable"):
                del value[name]
            if name not in value and inner.get("default") is not None:
                value[name] = copy.deepcopy(inner["default"])
            if name in value:
                default(value[name], inner)
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            _default_rest(value, properties, more)
    elif isinstance(value, list):
        items = schema.get("items")
        if isinstance(items, dict):
            for item in value:
                default(item, items)


def _default_rest(value: Body, properties: Body, more: Body) -> None:
    for name in [name for name in value if name not in properties]:
        if value[name] is None and not more.get("nullable"):
            del value[name]
        else:
            default(value[name], more)


# --- built-in kinds: type errors of Go's decoder ----------------------------------------------------------------------
_GO: dict[str, Any] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
}


def type_faults(value: Any, schema: Body, resolve: Resolve, path: str) -> list[str]:
    """Type errors of a built-in object's JSON against its Go struct; null means absent everywhere."""
    if value is None:
        return []
    schema = resolve(schema)
    if schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-quantity"):
        return _number_or_text(value, schema, path)
    wanted = schema.get("type")
    if wanted == "string" and isinstance(value, str) and "format" in schema:
        return wireformats.faults(value, schema)
    if wanted in _GO and (not isinstance(value, _GO[wanted]) or (isinstance(value, bool) and wanted != "boolean")):
        return [_unmarshal(value, path, wanted)]
    if isinstance(value, dict):
        return _object_faults(value, schema, resolve, path)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        found: list[str] = []
        for item in value:
            found += type_faults(item, schema["items"], resolve, path)
        return found
    return []


def _object_faults(value: Body, schema: Body, resolve: Resolve, path: str) -> list[str]:
    properties = schema.get("properties") or {}
    more = schema.get("additionalProperties")
    found: list[str] = []
    for name, item in value.items():
        inner = properties.get(name, more)
        if isinstance(inner, dict):
            found += type_faults(item, inner, resolve, f"{path}.{name}" if path else name)
    return found


def _number_or_text(value: Any, schema: Body, path: str) -> list[str]:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return [_unmarshal(value, path, "string")]
    fault = quantity.fault(value) if schema.get("x-kubernetes-quantity") else None
    if fault is not None:
        return [fault]
    return []


_GO_NAMES = {"boolean": "bool", "integer": "int64", "number": "float64", "object": "map", "array": "slice"}


def _unmarshal(value: Any, path: str, wanted: str) -> str:
    seen = {str: "string", bool: "bool", dict: "object", list: "array"}.get(type(value), "number")
    return f"json: cannot unmarshal {seen} into Go struct field .{path} of type {_GO_NAMES.get(wanted, wanted)}"


def drop_nulls(value: Any) -> None:
    """Remove null fields from a built-in object, as the typed round trip does."""
    if isinstance(value, dict):
        for name in [name for name, item in value.items() if item is None]:
            del value[name]
        for item in value.values():
            drop_nulls(item)
    elif isinstance(value, list):
        for item in value:
            drop_nulls(item)
