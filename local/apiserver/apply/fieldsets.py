"""Field sets of server-side apply: the paths of an object, by the list and map types of its schema.

A path is a tuple of the keys of FieldsV1: `f:name` a field, `k:{"name":"x"}` an item by its keys, `v:"x"` an item of a
set. Lists are atomic unless the schema says map or set; maps are granular unless it says atomic.
"""

from typing import Any

import orjson

from local.apiserver.errors import go_json
from local.apiserver.schema.structural import Resolve
from shared.model.types import Body

Path = tuple[str, ...]
CONTAINER = object()  # the value of a path that stands for a container itself


def child(schema: Body, name: str, resolve: Resolve) -> tuple[Body, bool]:
    """The schema of a field, and whether the schema names it."""
    inner = (schema.get("properties") or {}).get(name)
    if inner is not None:
        return markers(inner, resolve), True
    more = schema.get("additionalProperties")
    return (markers(more, resolve) if isinstance(more, dict) else {}), False


def markers(schema: Body, resolve: Resolve) -> Body:
    """A schema behind its reference, with the list and map markers of the referring place."""
    found = resolve(schema)
    if found is schema:
        return schema
    own = {key: value for key, value in schema.items() if key.startswith("x-kubernetes-")}
    return {**found, **own} if own else found


def is_atomic(value: Any, schema: Body) -> bool:
    if isinstance(value, dict):
        return schema.get("x-kubernetes-map-type") == "atomic"
    return isinstance(value, list) and schema.get("x-kubernetes-list-type") not in ("map", "set")


def item_key(item: Any, schema: Body) -> str:
    """The path part of an item of a set, or of a list whose items have keys (absent ones take their defaults)."""
    if schema.get("x-kubernetes-list-type") == "set" or not isinstance(item, dict):
        return "v:" + go_json(item)
    properties = (schema.get("items") or {}).get("properties") or {}
    keys = {}
    for key in schema.get("x-kubernetes-list-map-keys") or ():
        value = item.get(key, (properties.get(key) or {}).get("default"))
        if value is not None:
            keys[key] = value
    return "k:" + orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()


def flatten(value: Any, schema: Body, resolve: Resolve, path: Path = ()) -> dict[Path, Any]:
    """Every path of a value that can be owned, with its value."""
    found: dict[Path, Any] = {}
    _flatten(value, schema, resolve, path, found)
    return found


def _flatten(value: Any, schema: Body, resolve: Resolve, path: Path, found: dict[Path, Any]) -> None:
    if not isinstance(value, (dict, list)) or is_atomic(value, schema):
        found[path] = value
    elif isinstance(value, dict):
        for name, item in value.items():
            inner, named = child(schema, name, resolve)
            where = (*path, f"f:{name}")
            _flatten(item, inner, resolve, where, found)
            if item == {} or (not named and where not in found):
                found[where] = CONTAINER
    else:
        items = markers(schema.get("items") or {}, resolve)
        keyed = {**schema, "items": items}
        for item in value:
            where = (*path, item_key(item, keyed))
            if schema.get("x-kubernetes-list-type") == "map":
                _flatten(item, items, resolve, where, found)
            found.setdefault(where, CONTAINER)


def merge(live: Any, applied: Any, schema: Body, resolve: Resolve) -> Any:
    """`live` with the fields of `applied` set; other fields are unchanged."""
    if type(live) is not type(applied) or not isinstance(applied, (dict, list)) or is_atomic(applied, schema):
        return applied
    if isinstance(applied, dict):
        merged = dict(live)
        for name, item in applied.items():
            merged[name] = merge(live[name], item, child(schema, name, resolve)[0], resolve) if name in live else item
        return merged
    items = markers(schema.get("items") or {}, resolve)
    keyed = {**schema, "items": items}
    wanted = {item_key(item, keyed): item for item in applied}
    kept = [
        merge(item, wanted.pop(mark), items, resolve) if mark in wanted else item
        for item, mark in ((item, item_key(item, keyed)) for item in live)
    ]
    return kept + list(wanted.values())


def remove(value: Any, path: Path, schema: Body, resolve: Resolve) -> bool:
    """Remove `path` from `value`, in place, with containers that become empty. True if `value` is empty."""
    part, rest = path[0], path[1:]
    if part.startswith("f:") and isinstance(value, dict) and part[2:] in value:
        name = part[2:]
        if not rest or remove(value[name], rest, child(schema, name, resolve)[0], resolve):
            del value[name]
    elif isinstance(value, list):
        items = markers(schema.get("items") or {}, resolve)
        keyed = {**schema, "items": items}
        for item in [item for item in value if item_key(item, keyed) == part]:
            if not rest or remove(item, rest, items, resolve):
                value.remove(item)
    return value in ({}, [])


def to_fields(paths: set[Path]) -> Body:
    """FieldsV1 of a set of paths."""
    root: Body = {}
    for path in sorted(paths):
        inner = root
        for part in path:
            inner = inner.setdefault(part, {})
    for path in paths:
        inner = root
        for part in path:
            inner = inner[part]
        if inner:
            inner["."] = {}
    return root


def from_fields(fields: Body, path: Path = ()) -> set[Path]:
    """The paths of a FieldsV1."""
    found: set[Path] = set()
    for part, inner in fields.items():
        if part == ".":
            found.add(path)
        elif inner:
            found |= from_fields(inner, (*path, part))
        else:
            found.add((*path, part))
    return found


def shown(path: Path) -> str:
    """`.spec.steps[name="a"].weight`"""
    text = ""
    for part in path:
        if part.startswith("f:"):
            text += f".{part[2:]}"
        elif part.startswith("v:"):
            text += f"[={part[2:]}]"
        else:
            pairs = orjson.loads(part[2:])
            text += "[" + ",".join(f"{key}={go_json(value)}" for key, value in pairs.items()) + "]"
    return text
