"""Finds fields in pod templates that Kubernetes does not have.

The CRDs keep pod templates whole, so neither the API server nor kubectl's strict validation sees these fields. They are
dropped without a message when the pods are created. `jobflow lint` reports them as errors and the webhook warns about them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from shared import kinds
from shared.kinds import Kind
from shared.podtemplate.schema import CLAIM, TEMPLATE, definitions

_PLACEHOLDER: Final = "$("
_WRITES: Final = ("add", "replace")
_JOBS: Final = {
    kinds.JOB: "spec",
    kinds.JOBTEMPLATE: "spec",
    kinds.CRONJOB: "spec.jobTemplate.spec",
}
_FLOWS: Final = {
    kinds.JOBFLOW: "spec",
    kinds.JOBFLOWTEMPLATE: "spec.flow",
    kinds.CRONJOBFLOW: "spec.jobFlowTemplate.spec",
}
"""Where the spec of a Job, or of a JobFlow, is in an object of that kind."""
Schema = Mapping[str, Any]


class UnknownField(NamedTuple):
    """A field that does not exist. `known`: the names of the fields that exist at this place."""

    path: str
    name: str
    known: tuple[str, ...]


def unknown_pod_fields(kind: Kind, body: Any) -> Iterator[UnknownField]:
    """Unknown fields in the pod templates and volume claims of a raw object: of a Job or JobFlow, or of one inside it."""
    if kind in _JOBS:
        yield from _in_job_spec(_at(body, _JOBS[kind]), _JOBS[kind])
    elif kind in _FLOWS:
        spec = _at(body, _FLOWS[kind])
        for field in ("flows", "finally"):
            for index, step in enumerate(_list(_get(spec, field))):
                if patch := _get(step, "patch"):
                    yield from _in_patch(patch, f"{_FLOWS[kind]}.{field}[{index}].patch")


def _in_job_spec(spec: Any, path: str) -> Iterator[UnknownField]:
    for index, task in enumerate(_list(_get(spec, "tasks"))):
        yield from _unknown(_get(task, "template"), _reference(TEMPLATE), f"{path}.tasks[{index}].template")
    for index, volume in enumerate(_list(_get(spec, "volumes"))):
        yield from _unknown(_get(volume, "volumeClaim"), _reference(CLAIM), f"{path}.volumes[{index}].volumeClaim")


def _in_patch(patch: Any, path: str) -> Iterator[UnknownField]:
    yield from _in_job_spec(_get(patch, "jobSpec"), f"{path}.jobSpec")
    for index, operation in enumerate(_list(_get(patch, "jsonPatch"))):
        pointer = _get(operation, "path")
        if isinstance(pointer, str) and _get(operation, "op") in _WRITES:
            yield from _in_operation(operation, pointer, f"{path}.jsonPatch[{index}]")


def _in_operation(operation: Any, pointer: str, path: str) -> Iterator[UnknownField]:
    """Unknown fields in the pointer of a JSON patch operation, or in the value that it writes."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    value = _get(operation, "value")
    match parts:
        case ["tasks", _, "template", *rest]:
            schema = _reference(TEMPLATE)
        case ["volumes", _, "volumeClaim", *rest]:
            schema = _reference(CLAIM)
        case ["tasks", _]:
            yield from _unknown(_get(value, "template"), _reference(TEMPLATE), f"{path}.value.template")
            return
        case _:
            return
    for part in rest:
        known = tuple(_resolved(schema).get("properties", ()))
        inner = _inner(schema, part)
        if inner is None:
            if known and _PLACEHOLDER not in part:
                yield UnknownField(f"{path}.path", part, known)
            return
        schema = inner
    yield from _unknown(value, schema, f"{path}.value")


def _unknown(value: Any, schema: Schema, path: str) -> Iterator[UnknownField]:
    resolved = _resolved(schema)
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown(item, resolved.get("items") or {}, f"{path}[{index}]")
    elif isinstance(value, dict):
        known = tuple(resolved.get("properties", ()))
        for name, item in value.items():
            below = f"{path}.{name}" if known else f"{path}[{name}]"
            inner = _inner(resolved, name)
            if inner is not None:
                yield from _unknown(item, inner, below)
            elif known and _PLACEHOLDER not in name:
                yield UnknownField(below, name, known)


def _inner(schema: Schema, name: str) -> Schema | None:
    """The schema of a field, of a map's value or of a list's item; None if there is no such field."""
    resolved = _resolved(schema)
    if "items" in resolved:
        return dict(resolved["items"])
    found = resolved.get("properties", {}).get(name)
    others = resolved.get("additionalProperties")
    chosen = found if found is not None else others if isinstance(others, Mapping) else None
    return None if chosen is None else dict(chosen)


def _resolved(schema: Schema) -> Schema:
    reference = schema.get("$ref")
    return definitions()[reference.rpartition("/")[2]] if reference else schema


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = _get(value, name)
    return value


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []
