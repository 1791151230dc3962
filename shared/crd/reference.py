"""`python -m shared.crd.reference` writes docs/reference-fields.md from the models; `--check` only compares it."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from shared.crd import generated
from shared.crd.definitions import DEFINITIONS, Definition
from shared.crd.descriptions import description
from shared.crd.schema import DEFAULTS
from shared.model.types import MOST_INT32

Schema = dict[str, Any]
PAGE: Final = Path("docs/reference-fields.md")
_HEAD: Final = """# Every field of every kind

<!-- Generated from shared/model by `make generate`; do not edit. -->

What the fields mean together, with examples, is in [reference.md](reference.md). `kubectl explain jobflow.spec.flows`
shows the same texts. A field in **bold** must be there.
"""
_REFERENCE: Final = "#/$defs/"
_FREE: Final = "x-kubernetes-preserve-unknown-fields"
_ELSEWHERE: Final = frozenset(
    {"ObjectMeta", "OwnerReference"}
)  # Kubernetes' own types, which its documentation describes
_SOURCE: Final = re.compile(r" ?\([^()]*(?:\.md|decisions row|seed:)[^()]*\)")  # references for maintainers
_TOP: Final = ("apiVersion", "kind", "metadata")


def render() -> str:
    """The whole page."""
    kinds = [f"[{each.kind.kind}](#{each.kind.kind.lower()})" for each in DEFINITIONS]
    parts = [_HEAD, ", ".join(kinds) + "\n"]
    written: set[str] = set()
    for definition in DEFINITIONS:
        parts += _kind(definition, written)
    return "\n".join(parts)


def _kind(definition: Definition, written: set[str]) -> Iterator[str]:
    kind, name = definition.kind, definition.model.__name__
    types: Schema = msgspec.json.schema(definition.model)["$defs"]
    short = f" Short: {', '.join(f'`{each}`' for each in definition.short_names)}." if definition.short_names else ""
    scope = "" if kind.namespaced else " Of the whole cluster."
    yield f"## {kind.kind}\n\n`{kind.api_version}`.{short}{scope} {_text(types[name])}\n"
    for each in _reached(types, name):
        if each not in written and each not in _ELSEWHERE:
            written.add(each)
            yield from _type(each, types, top=each == name)


def _reached(types: Schema, root: str) -> list[str]:
    """The types with fields that can be reached from the root; a type comes before the types of its fields."""
    found: list[str] = []
    ahead = [root]
    while ahead:
        name = ahead.pop(0)
        if name not in found and "properties" in types[name]:
            found.append(name)
            ahead += [each for field in types[name]["properties"].values() for each in _references(field)]
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield str(schema["$ref"]).removeprefix(_REFERENCE)
        for each in schema.values():
            yield from _references(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)


def _type(name: str, types: Schema, top: bool) -> Iterator[str]:
    schema = types[name]
    fields = {field: each for field, each in schema["properties"].items() if not (top and field in _TOP)}
    if top and set(fields) <= {"spec", "status"}:
        return
    if not top:
        yield f"### {name}\n"
        if _text(schema):
            yield f"{_text(schema)}\n"
    yield "| Field | Type | Meaning |\n|---|---|---|"
    for field, each in fields.items():
        shown = f"**`{field}`**" if field in schema.get("required", ()) else f"`{field}`"
        yield f"| {shown} | {_shape(each, types)} | {_cell(_meaning(name, field, each, types))} |"
    yield ""


def _meaning(name: str, field: str, schema: Schema, types: Schema) -> str:
    """The field's description, or else its type's, with bounds and default."""
    text = _text(schema) or description(name, field)
    text = text or next((_text(types[each]) for each in _references(schema)), "")
    bounds = _bounds(_plain(schema))
    default = DEFAULTS.get((name, field))
    more = [*bounds, *([f"default `{default}`"] if default is not None else [])]
    return text + (f" ({', '.join(more)})" if more else "")


def _bounds(schema: Schema) -> Iterator[str]:
    words = {"minimum": "at least {}", "maximum": "at most {}", "maxLength": "at most {} characters"}
    for key, form in words.items():
        if schema.get(key) and abs(schema[key]) < MOST_INT32:  # the bounds of int32 are not worth a mention
            yield form.format(schema[key])


def _shape(schema: Schema, types: Schema) -> str:
    """The name of the type, with a link if the page has a table for it."""
    schema = _plain(schema)
    if "$ref" in schema:
        return _named(str(schema["$ref"]).removeprefix(_REFERENCE), types)
    if schema.get("x-kubernetes-int-or-string"):
        return "quantity"
    if schema.get("type") == "array":
        return f"list of {_shape(schema['items'], types)}" if isinstance(schema.get("items"), dict) else "list"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"map of {_shape(values, types)}" if isinstance(values, dict) and values else "object"
    if schema.get(_FREE):
        return "any"
    formats = {"date-time": "time", "duration-go": "duration", "cel": "[CEL](reference.md#expressions)"}
    return formats.get(schema.get("format", ""), str(schema.get("type", "any")))


def _named(name: str, types: Schema) -> str:
    schema = types[name]
    if "enum" in schema:
        return " \\| ".join(f"`{each}`" for each in schema["enum"])
    return name if name in _ELSEWHERE else f"[{name}](#{name.lower()})"


def _plain(schema: Schema) -> Schema:
    """The schema without its null branch."""
    if "anyOf" in schema and not schema.get(_FREE) and not schema.get("x-kubernetes-int-or-string"):
        branches = [each for each in schema["anyOf"] if each.get("type") != "null"]
        return schema | (branches[0] if len(branches) == 1 else {})
    return schema


def _text(schema: Schema) -> str:
    return _SOURCE.sub("", str(schema.get("description", "")).strip())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main(argv: list[str] | None = None) -> int:
    return generated.keep(f"{__package__}.reference", __doc__, PAGE, render, argv)


if __name__ == "__main__":
    sys.exit(main())
