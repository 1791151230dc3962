"""Values that match a schema, in place of one that does not. Pure."""

from collections.abc import Sequence
from typing import Any, Final

Schema = dict[str, Any]
ABSENT: Final = object()
"""In place of a value: the field is left out."""
_MANY: Final = 10**6
_TRUTHS: Final = {"true": True, "false": False}
_INT_OR_STRING: Final = "x-kubernetes-int-or-string"


def as_meant(schema: Schema, value: Any) -> Any:
    """What `value`, which has the wrong type, clearly means: `"5"` for 5 and the reverse, a list of one for its item.
    ABSENT if that is not clear.
    """
    wanted = schema.get("type")
    found: Any = ABSENT
    if wanted == "string" and isinstance(value, bool | int | float):
        found = str(value).lower() if isinstance(value, bool) else str(value)
    elif wanted == "boolean" and isinstance(value, str):
        found = _TRUTHS.get(value.lower(), ABSENT)
    elif wanted in ("integer", "number") and isinstance(value, str) and value.removeprefix("-").isdecimal():
        found = int(value) if len(value) < 20 else ABSENT
    elif wanted == "array" and isinstance(value, str) and schema.get("items", {}).get("type") == "string":
        found = [value]
    elif wanted == "object" and isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        found = value[0]
    return found if found is not ABSENT and ("enum" not in schema or found in schema["enum"]) else ABSENT


def simplest(schema: Schema, word: str) -> Any:
    """The smallest value; texts are `word`."""
    wanted = schema.get("type")
    if "enum" in schema:
        return schema["enum"][0]
    if _INT_OR_STRING in schema:
        return 1
    if wanted == "object":
        properties = schema.get("properties", {})
        return {name: simplest(properties.get(name, {}), word) for name in schema.get("required", ())}
    if wanted == "array":
        return [simplest(schema.get("items", {}), word) for _ in range(schema.get("minItems", 0))]
    if wanted in ("integer", "number"):
        return _numbers(schema)[0]
    return False if wanted == "boolean" else word if wanted == "string" else {}


def other_values(schema: Schema, words: Sequence[str], *, needed: bool) -> list[Any]:
    """Values that differ as much as possible, some of which name `words`. With ABSENT unless a value is `needed`."""
    found = _of_type(schema, words)
    return found if needed else [*found, ABSENT]


def _of_type(schema: Schema, words: Sequence[str]) -> list[Any]:
    wanted = schema.get("type")
    if "enum" in schema:
        return list(schema["enum"])
    if _INT_OR_STRING in schema:
        return [_MANY, 0, 1]
    if wanted == "object":
        return [
            _full(schema, words),
            *(_named(schema, word) for word in words if "name" in schema.get("properties", {})),
        ]
    if wanted == "array":
        return [_list(schema, words), simplest(schema, "unreadable")]
    if wanted in ("integer", "number"):
        return _numbers(schema)[::-1]
    if wanted == "boolean":
        return [True, False]
    return [*words, "unreadable"] if wanted == "string" else [{}]


def _full(schema: Schema, words: Sequence[str]) -> Any:
    """An object whose lists name all words."""
    lists = {name: field for name, field in schema.get("properties", {}).items() if field.get("type") == "array"}
    further = {name: _list(field, words) for name, field in lists.items()}
    values = schema.get("additionalProperties")
    more = {word: simplest(values, word) for word in words} if isinstance(values, dict) else {}
    return {**simplest(schema, "unreadable"), **{name: value for name, value in further.items() if value}, **more}


def _named(schema: Schema, word: str) -> Any:
    return {**simplest(schema, word), "name": word}


def _list(schema: Schema, words: Sequence[str]) -> list[Any]:
    items = schema.get("items", {})
    if items.get("type") == "string" and "enum" not in items:
        return list(words)
    if "name" in items.get("properties", {}):
        return [_named(items, word) for word in words]
    return [simplest(items, "unreadable")]


def _numbers(schema: Schema) -> list[int]:
    """The least number, 1, and a large one."""
    least = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    most = min(schema.get("maximum", _MANY), _MANY)
    return sorted({least, max(least, min(1, most)), most})
