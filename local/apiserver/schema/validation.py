"""Validation of custom resources by their structural schema: all errors, with the texts of kube-openapi.

On update a value equal to the stored one is not validated again (CRDValidationRatcheting, enabled since 1.33).
"""

import operator
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from local.apiserver.errors import (
    FieldError,
    duplicate,
    go_json,
    invalid,
    not_supported,
    required,
    too_long,
    too_many,
    type_invalid,
)
from local.apiserver.schema import celrules, formats
from shared.model.types import Body

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
}
_MISSING = object()


def validate(value: Any, schema: Body, path: str = "", old: Any = _MISSING) -> Iterator[FieldError]:
    """All errors of `value`. `old`: the stored value at the same path, if any."""
    if old is not _MISSING and old == value:
        return
    yield from _validate(value, schema, path, old)
    yield from celrules.check(value, None if old is _MISSING else old, old is not _MISSING, schema, path)


def _validate(value: Any, schema: Body, path: str, old: Any) -> Iterator[FieldError]:
    if value is None and schema.get("nullable"):
        return
    wrong = _type_fault(value, schema, path)
    if wrong is not None:
        yield wrong
    else:
        yield from _by_type(value, schema, path, old)
    if schema.get("enum") is not None and value not in schema["enum"]:
        yield not_supported(path, value, schema["enum"])
    yield from _combined(value, schema, path)


def _by_type(value: Any, schema: Body, path: str, old: Any) -> Iterator[FieldError]:
    if isinstance(value, str):
        yield from _string(value, schema, path)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _number(value, schema, path)
    elif isinstance(value, list):
        yield from _array(value, schema, path, old)
    elif isinstance(value, dict):
        yield from _object(value, schema, path, old)


def _type_fault(value: Any, schema: Body, path: str) -> FieldError | None:
    wanted = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return None
        wanted = "integer,string"
    elif not wanted or _is_type(value, wanted):
        return None
    seen = _type_name(value)
    return type_invalid(path, seen, f'{_shown(path)} must be of type {wanted}: "{seen}"')


def _is_type(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    if wanted == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[wanted])


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return next(name for name, types in _TYPES.items() if isinstance(value, types))


def _shown(path: str) -> str:
    return f"{path} in body" if path else "in body"


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text.replace(r"\z", r"\Z"))


def _string(value: str, schema: Body, path: str) -> Iterator[FieldError]:
    longest, shortest, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
    if longest is not None and len(value) > longest:
        yield too_long(path, longest)
    if shortest is not None and len(value) < shortest:
        yield invalid(path, value, f"{_shown(path)} should be at least {shortest} chars long")
    if pattern and not _pattern(pattern).search(value):
        yield invalid(path, value, f"{_shown(path)} should match '{pattern}'")
    if (form := schema.get("format")) and not formats.fits(form, value):
        yield invalid(path, value, f'{_shown(path)} must be of type {form}: "{value}"')


_BOUNDS: tuple[tuple[str, str, str, Callable[[float, float], bool], Callable[[float, float], bool]], ...] = (
    ("maximum", "exclusiveMaximum", "less than", operator.le, operator.lt),
    ("minimum", "exclusiveMinimum", "greater than", operator.ge, operator.gt),
)


def _number(value: float, schema: Body, path: str) -> Iterator[FieldError]:
    for key, strict_key, words, within, strictly_within in _BOUNDS:
        bound = schema.get(key)
        if bound is None:
            continue
        strict = schema.get(strict_key, False)
        if not (strictly_within if strict else within)(value, bound):
            or_equal = "" if strict else " or equal to"
            yield invalid(path, value, f"{_shown(path)} should be {words}{or_equal} {go_json(bound)}")
    step = schema.get("multipleOf")
    if step and value % step:
        yield invalid(path, value, f"{_shown(path)} should be a multiple of {go_json(step)}")
    form = schema.get("format")
    if form in formats.RANGES and not formats.RANGES[form][0] <= value <= formats.RANGES[form][1]:
        yield invalid(path, value, f"Checked value must be of type {schema.get('type')} with format {form} in {path}")


def _array(value: list[Any], schema: Body, path: str, old: Any) -> Iterator[FieldError]:
    most, least = schema.get("maxItems"), schema.get("minItems")
    if most is not None and len(value) > most:
        yield too_many(path, len(value), most)
    if least is not None and len(value) < least:
        yield invalid(path, len(value), f"{_shown(path)} should have at least {least} items")
    kind = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if kind in ("set", "map"):
        yield from _repeated(value, keys if kind == "map" else None, path, schema.get("items") or {})
    items = schema.get("items")
    if isinstance(items, dict):
        before = _by_keys(old, keys) if kind == "map" and isinstance(old, list) else {}
        for index, item in enumerate(value):
            yield from validate(item, items, f"{path}[{index}]", before.get(_identity(item, keys), _MISSING))


def _identity(item: Any, keys: tuple[str, ...]) -> str:
    return go_json([item.get(key) for key in keys]) if keys and isinstance(item, dict) else ""


def _by_keys(items: list[Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {_identity(item, keys): item for item in items}


def _repeated(value: list[Any], keys: tuple[str, ...] | None, path: str, items: Body) -> Iterator[FieldError]:
    seen: set[str] = set()
    defaults = {name: inner.get("default") for name, inner in (items.get("properties") or {}).items()}
    for index, item in enumerate(value):
        shown = item
        if keys is not None and isinstance(item, dict):
            shown = {
                key: item.get(key, defaults.get(key)) for key in keys if item.get(key, defaults.get(key)) is not None
            }
        mark = go_json(shown)
        if mark in seen:
            yield duplicate(f"{path}[{index}]", shown)
        seen.add(mark)


def _object(value: Body, schema: Body, path: str, old: Any) -> Iterator[FieldError]:
    before = old if isinstance(old, dict) else {}
    properties = schema.get("properties") or {}
    for name in schema.get("required") or ():
        if name not in value:
            yield required(_join(path, name))
    more = schema.get("additionalProperties")
    for name, item in value.items():
        inner = properties.get(name, more)
        if isinstance(inner, dict):
            yield from validate(item, inner, _join(path, name), before.get(name, _MISSING))
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if most is not None and len(value) > most:
        yield too_many(path, len(value), most)
    if least is not None and len(value) < least:
        yield invalid(path, len(value), f"{_shown(path)} should have at least {least} properties")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _combined(value: Any, schema: Body, path: str) -> Iterator[FieldError]:
    for inner in schema.get("allOf") or ():
        yield from _validate(value, inner, path, _MISSING)
    some = schema.get("anyOf")
    if some and not any(_fits(value, inner) for inner in some):
        yield from _validate(value, some[0], path, _MISSING)
        yield invalid(path, "", f'"{path}" must validate at least one schema (anyOf)')
    one = schema.get("oneOf")
    if one:
        fitting = sum(_fits(value, inner) for inner in one)
        if fitting != 1:
            found = "Found none valid" if not fitting else f"Found {fitting} valid alternatives"
            yield invalid(path, "", f'"{path}" must validate one and only one schema (oneOf). {found}')
    if schema.get("not") is not None and _fits(value, schema["not"]):
        yield invalid(path, "", f'"{path}" must not validate the schema (not)')


def _fits(value: Any, schema: Body) -> bool:
    return next(_validate(value, schema, "", _MISSING), None) is None
