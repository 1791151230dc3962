"""The schemas of the built-in kinds: the OpenAPI definitions of Kubernetes 1.36, from the package kubernetes-validate."""

from functools import lru_cache
from importlib.resources import files
from typing import Any

import orjson

from shared.model.types import Body

KUBERNETES = "v1.36.0"
_FILE = f"kubernetes-json-schema/{KUBERNETES}-local/_definitions.json"
MICRO = "x-kubernetes-micro-time"
_GVK = "x-kubernetes-group-version-kind"
_SPECIAL: dict[str, Body] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"x-kubernetes-int-or-string": True},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"x-kubernetes-quantity": True},
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": {"type": "string", "format": "date-time"},
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": {"type": "string", "format": "date-time", MICRO: True},
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    "io.k8s.apimachinery.pkg.runtime.RawExtension": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
}


class Definitions:
    """Definitions by OpenAPI name, and the definition of each kind."""

    def __init__(self, found: dict[str, Body]) -> None:
        self.by_name = found
        self._by_ref = {f"#/components/schemas/{name}": schema for name, schema in found.items()}
        self.names: dict[tuple[str, str, str], str] = {}
        for name, schema in found.items():
            marks = schema.get(_GVK, ())
            if len(marks) == 1:
                self.names[marks[0]["group"], marks[0]["version"], marks[0]["kind"]] = name

    def of(self, group: str, version: str, kind: str) -> Body | None:
        name = self.names.get((group, version, kind))
        return None if name is None else self.by_name[name]

    def resolve(self, schema: Body) -> Body:
        """The schema behind a `$ref`, or the schema itself; a property that wraps one keeps its patch markers apart."""
        ref = schema.get("$ref")
        return schema if ref is None else self._by_ref[ref]


@lru_cache(maxsize=1)
def load() -> Definitions:
    """Read the definitions once per process, without the nulls that kubernetes-validate adds for JSON schema."""
    raw = orjson.loads(files("kubernetes_validate").joinpath(_FILE).read_bytes())["$defs"]
    found = {name: _SPECIAL.get(name) or _plain(schema) for name, schema in raw.items()}
    for name in found:
        if name.endswith(".apiextensions.v1.JSON"):
            found[name] = {"description": "any JSON value", "x-kubernetes-preserve-unknown-fields": True}
        elif name.endswith((".JSONSchemaPropsOrBool", ".JSONSchemaPropsOrArray", ".JSONSchemaPropsOrStringArray")):
            found[name] = {"description": "schema or other", "x-kubernetes-preserve-unknown-fields": True}
    return Definitions(found)


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _plain(value) for key, value in schema.items() if key != "$schema"}
    kind = plain.get("type")
    if isinstance(kind, list):
        plain["type"] = kind[0]
    if isinstance(plain.get("$ref"), str):
        plain["$ref"] = plain["$ref"].replace("#/$defs/", "#/components/schemas/")
    if plain.get("enum") and "apiVersion defines" in str(plain.get("description", ""))[:20].replace(
        "APIVersion", "apiVersion"
    ):
        del plain["enum"]
    return plain
