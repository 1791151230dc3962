"""Strategic merge patch for built-in kinds: lists merged by key, `$patch`, `$retainKeys`, `$setElementOrder`,
`$deleteFromPrimitiveList`, by the merge keys in Kubernetes' OpenAPI."""

from typing import Any

from local.apiserver.errors import bad_request
from local.apiserver.schema.structural import Resolve
from shared.model.types import Body

_ORDER, _DELETE = "$setElementOrder/", "$deleteFromPrimitiveList/"
_DIRECTIVES = ("$patch", "$retainKeys")


def apply(target: Body, patch: Body, schema: Body, resolve: Resolve) -> Body:
    """A new object: `target` with `patch` applied."""
    return _merge_object(target, patch, schema, resolve)


def _merge_object(target: Body, patch: Body, schema: Body, resolve: Resolve) -> Body:
    directive = patch.get("$patch")
    if directive == "delete":
        return {}
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    if directive not in (None, "merge"):
        raise bad_request(f"unknown patch type found: {directive}")
    schema = resolve(schema)
    merged = dict(target)
    retained = patch.get("$retainKeys")
    if retained is not None:
        merged = {key: value for key, value in merged.items() if key in retained}
    for key in _touched(patch):
        _merge_field(merged, key, patch, _property(schema, key), resolve)
    return merged


def _touched(patch: Body) -> list[str]:
    names = [
        key.partition("/")[2] if key.startswith((_ORDER, _DELETE)) else key for key in patch if key not in _DIRECTIVES
    ]
    return list(dict.fromkeys(names))


def _property(schema: Body, key: str) -> Body:
    inner = (schema.get("properties") or {}).get(key) or schema.get("additionalProperties")
    return inner if isinstance(inner, dict) else {}


def _merge_field(merged: Body, key: str, patch: Body, schema: Body, resolve: Resolve) -> None:
    if key in patch and patch[key] is None:
        merged.pop(key, None)
        return
    value, order, gone = patch.get(key), patch.get(_ORDER + key), patch.get(_DELETE + key)
    old = merged.get(key)
    if isinstance(value, dict):
        strategy = schema.get("x-kubernetes-patch-strategy", "")
        base = old if isinstance(old, dict) and "replace" not in strategy.split(",") else {}
        result = _merge_object(base, value, schema, resolve)
        if value.get("$patch") == "delete":
            merged.pop(key, None)
        else:
            merged[key] = result
    elif isinstance(value, list) or order is not None or gone is not None:
        result_list = _merge_list(old if isinstance(old, list) else [], value or [], order, gone, schema, resolve)
        if value is not None or old is not None:
            merged[key] = result_list
    else:
        merged[key] = value


def _merge_list(
    old: list[Any], patch: list[Any], order: list[Any] | None, gone: list[Any] | None, schema: Body, resolve: Resolve
) -> list[Any]:
    if "merge" not in schema.get("x-kubernetes-patch-strategy", "").split(","):
        return patch
    key = schema.get("x-kubernetes-patch-merge-key")
    if key is None:
        kept = [item for item in old if item not in (gone or ())]
        merged = kept + [item for item in patch if item not in kept]
        return _ordered(merged, order, lambda item: item)
    merged = list(old)
    for item in patch:
        if not isinstance(item, dict):
            raise bad_request("expected merge list elements to be objects")
        if item.get("$patch") == "replace":
            return [found for found in patch if found.get("$patch") != "replace"]
        merged = _merge_item(merged, item, key, schema.get("items") or {}, resolve)
    return _ordered(merged, order, lambda item: item.get(key) if isinstance(item, dict) else item)


def _merge_item(merged: list[Any], item: Body, key: str, schema: Body, resolve: Resolve) -> list[Any]:
    if key not in item:
        raise bad_request(f"map: {item} does not contain declared merge key: {key}")
    same = [index for index, found in enumerate(merged) if found.get(key) == item[key]]
    if item.get("$patch") == "delete":
        return [found for index, found in enumerate(merged) if index not in same]
    if not same:
        return [*merged, _merge_object({}, item, schema, resolve)]
    merged[same[0]] = _merge_object(merged[same[0]], item, schema, resolve)
    return merged


def _ordered(merged: list[Any], order: list[Any] | None, mark: Any) -> list[Any]:
    """The items that the order names, in that order; other items stay next to their neighbours."""
    if not order:
        return merged
    marks = [mark(item) if isinstance(item, dict) else item for item in order]
    named = {str(found): index for index, found in enumerate(marks)}
    listed = sorted((item for item in merged if str(mark(item)) in named), key=lambda item: named[str(mark(item))])
    others = [(index, item) for index, item in enumerate(merged) if str(mark(item)) not in named]
    for index, item in others:
        listed.insert(min(index, len(listed)), item)
    return listed
