"""Decode a request's body to an object of the resource's version: declared fields, types, defaults."""

from typing import Any

from local.apiserver.call import ApiRequest
from local.apiserver.errors import bad_request, undecodable
from local.apiserver.schema.structural import default, drop_nulls, prune, same, type_faults
from local.apiserver.types.resources import Resource
from local.apiserver.types.schemas import Definitions
from shared.model.types import Body

_MISSING = object()
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


def decode(call: ApiRequest, raw: Any, definitions: Definitions, known: Body | None = None) -> Body:
    """The body as an object. Refuses another kind, a wrong type, and unknown fields if validation is Strict."""
    resource = call.resource
    if not isinstance(raw, dict):
        raise bad_request(f"couldn't get version/kind; json parse error: {type(raw).__name__} is not an object")
    obj = expect_kind(raw, resource)
    unknown = normalise(obj, resource, definitions, known)
    report_unknown(call, unknown)
    return obj


def expect_kind(raw: Body, resource: Resource) -> Body:
    """The object with apiVersion and kind first, which must be those of the resource (absent ones are set)."""
    version, kind = raw.get("apiVersion") or resource.api_version, raw.get("kind") or resource.kind
    if resource.custom and "kind" not in raw:
        raise bad_request("Object 'Kind' is missing in the request body")
    if version != resource.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match the expected API version ({resource.api_version})"
        )
    if kind != resource.kind:
        raise (
            undecodable(kind, resource.version, f"kind {kind} does not match the expected kind {resource.kind}")
            if not resource.custom
            else bad_request(f"the kind in the data ({kind}) does not match the expected kind ({resource.kind})")
        )
    rest = {key: value for key, value in raw.items() if key not in ("apiVersion", "kind")}
    return {"apiVersion": version, "kind": kind, **rest}


def redecode(call: ApiRequest, obj: Body, definitions: Definitions) -> Body:
    """Decode an object that a webhook changed again: pruned, typed and defaulted."""
    decoded = expect_kind(obj, call.resource)
    normalise(decoded, call.resource, definitions)
    return decoded


def normalise(obj: Body, resource: Resource, definitions: Definitions, known: Body | None = None) -> list[str]:
    """Prune, type-check and default `obj` in place; the paths of unknown fields. Raises StatusError on a wrong type.

    `known`: a normalised object; values equal to its fields are skipped.
    """
    obj.setdefault("metadata", {})
    part = obj if known is None else {key: value for key, value in obj.items() if known.get(key, _MISSING) != value}
    if part is not obj and "metadata" not in part:
        part["metadata"] = obj["metadata"]
    before = set(part)
    unknown = _custom(part, resource, definitions) if resource.custom else _built_in(part, resource, definitions)
    if part is not obj:
        for key in before - set(part):
            del obj[key]
        obj.update(part)
    obj.setdefault("metadata", {})
    return unknown


def _built_in(obj: Body, resource: Resource, definitions: Definitions) -> list[str]:
    unknown: list[str] = []
    if resource.schema is not None:
        faults = type_faults(obj, resource.schema, definitions.resolve, "")
        if faults:
            raise undecodable(resource.kind, resource.version, faults[0])
        prune(obj, resource.schema, definitions.resolve, "", unknown)
    drop_nulls(obj)
    return unknown


def _custom(obj: Body, resource: Resource, definitions: Definitions) -> list[str]:
    unknown: list[str] = []
    meta, meta_schema = obj["metadata"], definitions.by_name[_META]
    faults = type_faults(meta, meta_schema, definitions.resolve, "metadata")
    if faults or not isinstance(meta, dict):
        raise undecodable(resource.kind, resource.version, (faults or ["metadata: not an object"])[0])
    prune(meta, meta_schema, definitions.resolve, "metadata", unknown)
    drop_nulls(meta)
    if resource.schema is not None:
        if not resource.keeps_unknown:
            prune(obj, resource.schema, same, "", unknown, embedded=True)
        default(obj, resource.schema)
    return unknown


def report_unknown(call: ApiRequest, unknown: list[str]) -> None:
    """Report unknown fields as fieldValidation requests: an error, a warning for each, or nothing."""
    if not unknown or call.field_validation == "Ignore":
        return
    faults = [f'unknown field "{path}"' for path in unknown]
    if call.field_validation == "Warn":
        for fault in faults:
            call.warn(fault)
        return
    shown = ", ".join(sorted(faults) if call.resource.custom else faults)
    raise undecodable(call.resource.kind, call.resource.version, f"strict decoding error: {shown}")
