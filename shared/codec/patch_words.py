"""Says why an operation of a JSON patch cannot be applied, in terms of the API. Pure.

The library that applies patches describes values by Python's types and prints whole documents.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from shared.codec.api_words import type_of
from shared.codec.plural import number_of

_SHOWN: Final = 120
_FROM: Final = ("move", "copy")


def patch_fault(operation: Mapping[str, Any], document: Any) -> str | None:
    """Why `operation` (RFC 6902) cannot be applied to `document`; None if its paths exist and its test holds."""
    op, path = operation["op"], _parts(operation["path"])
    if op == "move" and operation["path"].startswith(f"{operation['from']}/"):
        return "a value cannot be put into itself"
    if op in _FROM and (fault := _missing(document, _parts(operation["from"]))):
        return fault
    if op in (*_FROM, "add"):
        return _no_place(document, path)
    if op == "remove" and not path:
        return "the whole JobSpec cannot be removed"
    if fault := _missing(document, path):
        return fault
    if op == "test" and "value" in operation and (found := _at(document, path)) != operation["value"]:
        return f"the value is {_shown(found)}, not {_shown(operation['value'])}"
    return None


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _missing(document: Any, parts: list[str]) -> str | None:
    """Why there is no value at `parts`."""
    value = document
    for number, part in enumerate(parts):
        if fault := _no_entry(value, part, _name(parts[:number])):
            return fault
        value = _entry(value, part)
    return None


def _no_place(document: Any, parts: list[str]) -> str | None:
    """Why no value can be added at `parts`: its parent must exist."""
    if not parts:
        return None
    if fault := _missing(document, parts[:-1]):
        return fault
    parent, name = _at(document, parts[:-1]), _name(parts[:-1])
    if isinstance(parent, list) and parts[-1] != "-" and parts[-1] != str(len(parent)):
        fault = _no_entry(parent, parts[-1], name)
        return f"{fault}; write /- to append" if fault else None
    return None if isinstance(parent, dict | list) else f"{name} is {_kind(parent)}, which has no fields"


def _no_entry(value: Any, part: str, name: str) -> str | None:
    if isinstance(value, dict):
        return None if part in value else f'{name} has no field "{part}"'
    if not isinstance(value, list):
        return f"{name} is {_kind(value)}, which has no fields"
    if not part.isdecimal() or str(int(part)) != part:
        return f'{name} is a list, in which "{part}" is no index'
    if int(part) < len(value):
        return None
    return f"{name} has {number_of(len(value), 'item')}, so that there is no index {part}"


def _at(document: Any, parts: list[str]) -> Any:
    value = document
    for part in parts:
        value = _entry(value, part)
    return value


def _entry(value: Any, part: str) -> Any:
    return value[int(part)] if isinstance(value, list) else value[part]


def _name(parts: list[str]) -> str:
    return f"/{'/'.join(parts)}" if parts else "the JobSpec"


def _kind(value: Any) -> str:
    kind = type_of(value)
    return kind if kind == "null" else f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
