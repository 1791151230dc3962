"""Validation of CustomResourceDefinitions: names, versions, structural schemas."""

import copy
import re
from collections.abc import Iterator
from typing import Any

from local.apiserver import clock
from local.apiserver.errors import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from local.apiserver.schema import celrules, validation
from local.apiserver.schema.structural import prune, same
from local.apiserver.types.objectmeta import LABEL_1035_TEXT, dns_label_faults
from shared.model.types import Body

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_NEVER = ("$ref", "definitions", "dependencies", "patternProperties", "additionalItems", "$schema", "id")
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_NOT_IN_JUNCTOR = ("type", "default", "description", "title", "nullable", "additionalProperties")
_META_ALLOWED = ("name", "generateName")


def established(crd: Body) -> Body:
    """The status of a CRD whose names are accepted and which is served."""
    names = crd["spec"]["names"]
    stored = next((version["name"] for version in crd["spec"].get("versions") or () if version.get("storage")), "")
    now = clock.now()
    conditions = [
        {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found"},
        {
            "type": "Established",
            "status": "True",
            "reason": "InitialNamesAccepted",
            "message": "the initial names have been accepted",
        },
    ]
    return {
        "conditions": [{"lastTransitionTime": now, **condition} for condition in conditions],
        "acceptedNames": names,
        "storedVersions": [stored],
    }


def validate(crd: Body, old: Body | None) -> Iterator[FieldError]:
    spec = crd.get("spec") or {}
    names = spec.get("names") or {}
    wanted = f"{names.get('plural')}.{spec.get('group')}"
    if crd["metadata"].get("name") != wanted:
        yield invalid("metadata.name", crd["metadata"].get("name"), 'must be spec.names.plural+"."+spec.group')
    if spec.get("scope") not in ("Cluster", "Namespaced"):
        yield not_supported("spec.scope", spec.get("scope"), ("Cluster", "Namespaced"))
    for key in ("plural", "singular"):
        if names.get(key) and dns_label_faults(names[key]):
            yield invalid(f"spec.names.{key}", names[key], LABEL_1035_TEXT)
    for key in ("plural", "kind"):
        if not names.get(key):
            yield required(f"spec.names.{key}")
    yield from _versions(spec.get("versions") or [])
    for version in spec.get("versions") or ():
        index = spec["versions"].index(version)
        yield from _version(version, f"spec.versions[{index}]")
    if old is not None:
        for key in ("group", "scope"):
            if spec.get(key) != old["spec"].get(key):
                yield invalid(f"spec.{key}", spec.get(key), "field is immutable")


def _versions(versions: list[Body]) -> Iterator[FieldError]:
    stored = [version for version in versions if version.get("storage")]
    if len(stored) != 1:
        yield invalid(
            "spec.versions",
            versions and [v.get("name") for v in versions],
            "must have exactly one version marked as storage version",
        )
    seen: set[str] = set()
    for index, version in enumerate(versions):
        if version.get("name") in seen:
            yield duplicate(f"spec.versions[{index}].name", version.get("name"))
        seen.add(version.get("name", ""))


def _version(version: Body, path: str) -> Iterator[FieldError]:
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    if not schema:
        yield required(f"{path}.schema.openAPIV3Schema", "schemas are required")
        return
    root = f"{path}.schema.openAPIV3Schema"
    if schema.get("type") != "object":
        yield (
            required(f"{root}.type", "must be object at the root")
            if not schema.get("type")
            else invalid(f"{root}.type", schema["type"], "must be object at the root")
        )
    yield from _root_metadata(schema, root)
    yield from structural(schema, root, root=True)
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        where = f"{path}.additionalPrinterColumns[{index}]"
        if column.get("type") not in _COLUMN_TYPES:
            yield not_supported(f"{where}.type", column.get("type"), _COLUMN_TYPES)
        if not column.get("jsonPath", "").startswith("."):
            yield invalid(f"{where}.jsonPath", column.get("jsonPath"), "must be a simple json path starting with .")


def _root_metadata(schema: Body, path: str) -> Iterator[FieldError]:
    meta = (schema.get("properties") or {}).get("metadata") or {}
    for name in meta.get("properties") or {}:
        if name not in _META_ALLOWED:
            yield forbidden_field(
                f"{path}.properties[metadata]",
                "must not specify anything other than name and generateName, but metadata is implicitly specified",
            )


def structural(schema: Body, path: str, root: bool = False) -> Iterator[FieldError]:
    """The reasons why a schema is not structural (apiextensions' structural-schema rules)."""
    anything = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    kind = schema.get("type")
    if not kind and not anything:
        yield (
            required(f"{path}.type", "must not be empty for specified object fields")
            if not root
            else required(f"{path}.type", "must not be empty at the root")
        )
    if kind and kind not in _TYPES:
        yield not_supported(f"{path}.type", kind, _TYPES)
    if kind and schema.get("x-kubernetes-int-or-string"):
        yield invalid(f"{path}.type", kind, "must be empty if x-kubernetes-int-or-string is true")
    for key in _NEVER:
        if key in schema:
            yield forbidden_field(f"{path}.{key}", f"{key} is not supported")
    if schema.get("uniqueItems"):
        yield forbidden_field(
            f"{path}.uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        )
    more, properties = schema.get("additionalProperties"), schema.get("properties") or {}
    if more is not None and properties:
        yield forbidden_field(
            f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"
        )
    if more is False:
        yield forbidden_field(f"{path}.additionalProperties", "additionalProperties cannot be set to false")
    if kind == "array" and not isinstance(schema.get("items"), dict):
        yield required(f"{path}.items", "must be specified")
    yield from _lists(schema, path)
    yield from _junctors(schema, path)
    yield from _rules(schema, path)
    yield from _values(schema, path)
    for name, inner in properties.items():
        if root and name in ("metadata", "apiVersion", "kind"):
            continue
        yield from structural(inner, f"{path}.properties[{name}]")
    if isinstance(schema.get("items"), dict):
        yield from structural(schema["items"], f"{path}.items")
    if isinstance(more, dict):
        yield from structural(more, f"{path}.additionalProperties")


def _lists(schema: Body, path: str) -> Iterator[FieldError]:
    kind = schema.get("x-kubernetes-list-type")
    if kind is None:
        return
    if kind not in ("atomic", "map", "set"):
        yield not_supported(f"{path}.x-kubernetes-list-type", kind, ("atomic", "map", "set"))
    if schema.get("type") != "array":
        yield invalid(f"{path}.type", schema.get("type", ""), "must be array if x-kubernetes-list-type is specified")
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if kind == "map" and not keys:
        yield required(f"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map")
    items: Any = schema.get("items") or {}
    for index, key in enumerate(keys):
        inner = (items.get("properties") or {}).get(key)
        if inner is None:
            yield invalid(
                f"{path}.x-kubernetes-list-map-keys[{index}]", key, "entries must all be names of item properties"
            )
        elif key not in (items.get("required") or ()) and inner.get("default") is None:
            yield required(
                f"{path}.items.properties[{key}].default",
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
            )


def _junctors(schema: Body, path: str) -> Iterator[FieldError]:
    inner = [(f"{path}.{key}[{index}]", item) for key in _JUNCTORS for index, item in enumerate(schema.get(key) or ())]
    if isinstance(schema.get("not"), dict):
        inner.append((f"{path}.not", schema["not"]))
    for where, item in inner:
        for key in _NOT_IN_JUNCTOR:
            if key in item and not (key == "type" and schema.get("x-kubernetes-int-or-string")):
                yield forbidden_field(f"{where}.{key}", "must be empty to be structural")
        for name in item.get("properties") or {}:
            if name not in (schema.get("properties") or {}):
                yield required(f"{path}.properties[{name}]", f"because it is defined in {where}.properties[{name}]")


_NOT_RE2 = re.compile(r"\(\?(=|!|<[=!])|\\[1-9]")


def _values(schema: Body, path: str) -> Iterator[FieldError]:
    """Check that Go's RE2 can compile the pattern, and that the schema allows its default."""
    pattern = schema.get("pattern")
    if pattern:
        fault = "invalid or unsupported Perl syntax" if _NOT_RE2.search(pattern) else ""
        try:
            re.compile(pattern)
        except re.error as error:
            fault = str(error)
        if fault:
            yield invalid(f"{path}.pattern", pattern, f"must be a valid regular expression, but isn't: {fault}")
    if schema.get("default") is not None:
        value = copy.deepcopy(schema["default"])
        unknown: list[str] = []
        prune(value, schema, same, "", unknown)
        for name in unknown:
            yield invalid(f"{path}.default", schema["default"], f"must not have unknown fields: {name}")
        for fault_found in validation.validate(value, schema):
            yield invalid(f"{path}.default", schema["default"], f"must validate: {fault_found}")


def _rules(schema: Body, path: str) -> Iterator[FieldError]:
    for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        try:
            celrules.compiled(rule.get("rule", ""))
        except (RuntimeError, ValueError) as error:
            where = f"{path}.x-kubernetes-validations[{index}].rule"
            yield invalid(where, rule.get("rule", ""), f"compilation failed: {error}")
