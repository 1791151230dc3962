"""/openapi/v3 (an index and a document for each group-version) and /openapi/v2 of the kinds currently served."""

import hashlib
from typing import Any

import orjson

from local.apiserver.types.resources import Resource, ResourceRegistry
from local.apiserver.types.schemas import MICRO, Definitions
from local.apiserver.verbs.patching import accepted
from shared.model.types import Body

_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_GVK = "x-kubernetes-group-version-kind"
_REF = "#/components/schemas/"
_QUERIES = ("pretty", "dryRun", "fieldManager", "fieldValidation")
_VERSION_TEXT = "APIVersion defines the versioned schema of this representation of an object."
_KIND_TEXT = "Kind is a string value representing the REST resource this object represents."


class OpenApi:
    """Documents, generated on the first request and cached until the served kinds change."""

    def __init__(self, registry: ResourceRegistry, definitions: Definitions) -> None:
        self.registry, self.definitions = registry, definitions
        self._made: dict[str, bytes] = {}
        self._revision = -1

    def _fresh(self) -> None:
        if self._revision != self.registry.revision:
            self._made.clear()
            self._revision = self.registry.revision

    def index(self) -> bytes:
        """The answer of /openapi/v3."""
        paths = {}
        for group, versions in self.registry.versions().items():
            for version in versions:
                path = f"apis/{group}/{version}" if group else f"api/{version}"
                digest = hashlib.sha256(f"{path} {self.registry.revision}".encode()).hexdigest().upper()
                paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
        return orjson.dumps({"paths": paths})

    def document(self, path: str) -> bytes | None:
        """The answer of /openapi/v3/`path`; None when it is not served."""
        self._fresh()
        if path not in self._made:
            parts = path.split("/")
            group, version = (parts[1], parts[2]) if parts[0] == "apis" and len(parts) == 3 else ("", parts[-1])
            found = self.registry.versions().get(group, {}).get(version)
            if found is None:
                return None
            self._made[path] = orjson.dumps(self._document(found))
        return self._made[path]

    def v2(self) -> bytes:
        """The answer of /openapi/v2, as JSON."""
        self._fresh()
        if "v2" not in self._made:
            schemas: dict[str, Body] = {name: _published(found) for name, found in self.definitions.by_name.items()}
            for resource in self.registry:
                if resource.custom:
                    schemas[schema_name(resource)] = custom_schema(resource)
            text = orjson.dumps(schemas).replace(_REF.encode(), b"#/definitions/")
            head = b'{"swagger":"2.0","info":{"title":"Kubernetes","version":"v1.36.0"},"paths":{},"definitions":'
            self._made["v2"] = head + text + b"}"
        return self._made["v2"]

    @staticmethod
    def v2_protobuf() -> bytes:
        """The answer of /openapi/v2 as a gnostic Document without definitions, which /openapi/v3 has."""
        info = _protobuf_text(1, "Kubernetes") + _protobuf_text(2, "v1.36.0")
        return _protobuf_text(1, "2.0") + _protobuf_bytes(2, info)

    def _document(self, resources: list[Resource]) -> Body:
        schemas: dict[str, Body] = {}
        paths: Body = {}
        for resource in resources:
            self._add(resource, schemas)
            for path, item in _paths(resource).items():
                paths[path] = item
        info = {"title": "Kubernetes", "version": "v1.36.0"}
        return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}

    def _add(self, resource: Resource, schemas: dict[str, Body]) -> None:
        if resource.custom:
            schemas[schema_name(resource)] = custom_schema(resource)
            self._close(_META, schemas)
            return
        name = self.definitions.names.get((resource.group, resource.version, resource.kind))
        if name is not None:
            self._close(name, schemas)

    def _close(self, name: str, schemas: dict[str, Body]) -> None:
        """Add a definition and all that it refers to."""
        waiting = [name]
        while waiting:
            found = waiting.pop()
            if found in schemas:
                continue
            schemas[found] = _published(self.definitions.by_name[found])
            waiting += [ref for ref in _references(schemas[found]) if ref not in schemas]


def schema_name(resource: Resource) -> str:
    """`io.example.v1.Kind` for group example.io: the name a CRD's schema is published under."""
    return ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])


def custom_schema(resource: Resource) -> Body:
    """A CRD's schema as published, with apiVersion, kind and metadata."""
    schema = dict(resource.schema or {"type": "object"})
    properties = dict(schema.get("properties") or {})
    properties["apiVersion"] = {"type": "string", "description": _VERSION_TEXT}
    properties["kind"] = {"type": "string", "description": _KIND_TEXT}
    properties["metadata"] = {"description": "Standard object's metadata.", "allOf": [{"$ref": _REF + _META}]}
    schema["properties"] = properties
    schema[_GVK] = [_gvk(resource)]
    return schema


def _gvk(resource: Resource) -> Body:
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _published(schema: Any) -> Any:
    """A definition in OpenAPI 3 form: a reference beside other keys goes into allOf."""
    if isinstance(schema, list):
        return [_published(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string") is True:
        return {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"}
    if schema.get(MICRO) is True:
        return {"type": "string", "format": "date-time"}
    if schema.get("x-kubernetes-quantity") is True:
        return {"oneOf": [{"type": "string"}, {"type": "number"}]}
    found = {key: _published(value) for key, value in schema.items() if not (key == "enum" and value == [])}
    if isinstance(found.get("$ref"), str) and len(found) > 1:
        found["allOf"] = [{"$ref": found.pop("$ref")}]
        found["default"] = {}
    return found


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [ref for item in schema for ref in _references(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].removeprefix(_REF)] if isinstance(schema.get("$ref"), str) else []
    return own + [ref for value in schema.values() for ref in _references(value)]


def _paths(resource: Resource) -> dict[str, Body]:
    base = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    within = (
        f"{base}/namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else f"{base}/{resource.plural}"
    )
    paths = {
        within: {verb: _operation(resource, verb, "") for verb in ("get", "post", "delete")},
        f"{within}/{{name}}": {verb: _operation(resource, verb, "Named") for verb in ("get", "put", "patch", "delete")},
    }
    for sub in ("status", "scale"):
        if sub in resource.subresources:
            paths[f"{within}/{{name}}/{sub}"] = {
                verb: _operation(resource, verb, sub.title()) for verb in ("get", "put", "patch")
            }
    if resource.namespaced:
        paths[f"{base}/{resource.plural}"] = {"get": _operation(resource, "get", "ForAllNamespaces")}
    return paths


_ACTIONS = {"get": "list", "post": "post", "put": "put", "patch": "patch", "delete": "deletecollection"}


def _operation(resource: Resource, verb: str, suffix: str) -> Body:
    action = verb if suffix and verb != "get" else "get" if suffix == "Named" else _ACTIONS[verb]
    name = f"{verb}{resource.group.title().replace('.', '')}{resource.version.title()}{resource.kind}{suffix}"
    found: Body = {
        "operationId": name,
        "x-kubernetes-action": action,
        _GVK: _gvk(resource),
        "parameters": [_parameter(query) for query in _QUERIES]
        if verb in ("post", "put", "patch")
        else [_parameter("pretty")],
        "responses": {"200": {"description": "OK"}},
    }
    if verb == "patch":
        found["requestBody"] = {"content": {kind: {"schema": {"type": "object"}} for kind in accepted(resource)}}
        found["parameters"].append(_parameter("force"))
    return found


def _parameter(name: str) -> Body:
    return {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}


def _protobuf_text(number: int, text: str) -> bytes:
    return _protobuf_bytes(number, text.encode())


def _protobuf_bytes(number: int, content: bytes) -> bytes:
    """A length-delimited field; short ones only, whose length is one byte."""
    return bytes((number << 3 | 2, len(content))) + content
