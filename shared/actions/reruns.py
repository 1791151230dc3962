"""Builds a new JobFlow from one that has run, optionally with other params. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from shared.kinds import JOBFLOW
from shared.model.types import Body
from shared.names import (
    ATTEMPT,
    COMMANDED_BY,
    CREATED_BY_FLOW,
    CREATED_BY_TEMPLATE,
    CREATOR,
    DEFAULTED,
    FOREIGN_ANNOTATION_PREFIXES,
    ITERATION,
    REQUESTED_AT,
    RESOURCE_KINDS,
    STEP,
    STEP_DIGEST,
)

_MADE: Final = (
    CREATED_BY_FLOW,
    CREATED_BY_TEMPLATE,
    STEP,
    STEP_DIGEST,
    ITERATION,
    ATTEMPT,
    DEFAULTED,
    CREATOR,
    COMMANDED_BY,
    REQUESTED_AT,
    RESOURCE_KINDS,
)


def again(body: Body) -> Body:
    """A new JobFlow with the spec of `body` and a generated name."""
    metadata = body["metadata"]
    spec = {key: value for key, value in body["spec"].items() if key != "suspend"}
    prefix = metadata.get("generateName") or f"{metadata['name']}-"
    return {
        "apiVersion": JOBFLOW.api_version,
        "kind": JOBFLOW.kind,
        "metadata": {"generateName": prefix, **fresh_metadata(metadata)},
        "spec": spec,
    }


def named(body: Body, name: str, namespace: str) -> Body:
    """The body with this namespace and, if not empty, this name."""
    metadata = {**(body.get("metadata") or {}), "namespace": namespace}
    if name:
        metadata = {key: value for key, value in metadata.items() if key != "generateName"} | {"name": name}
    return {key: value for key, value in body.items() if key != "status"} | {"metadata": metadata}


def with_values(flow: Body, values: Mapping[str, str]) -> Body:
    """A copy of the flow with these values of its params; names that it does not declare are left out."""
    spec = flow.get("spec") or {}
    if not values or not spec.get("params"):
        return flow
    params = [{**param, "value": values.get(param["name"], param.get("value", ""))} for param in spec["params"]]
    return {**flow, "spec": {**spec, "params": params}}


def fresh_metadata(metadata: Body) -> Body:
    """The labels and annotations that a user wrote, without those of tools and of the flow that created the object."""
    kept: Body = {}
    for field in ("labels", "annotations"):
        found = {key: value for key, value in (metadata.get(field) or {}).items() if not _foreign(key, _MADE)}
        if found:
            kept[field] = found
    return kept


def _foreign(key: str, made: Iterable[str]) -> bool:
    return key in made or key.startswith(FOREIGN_ANNOTATION_PREFIXES)
