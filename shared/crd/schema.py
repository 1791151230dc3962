"""Converts models into structural OpenAPI schemas, the only form that a CustomResourceDefinition accepts.

msgspec describes a type with `$ref`, `anyOf: [..., null]` and defaults. A structural schema has everything inline, a
`type` at every level and no null branch (Kubernetes documentation, "Specifying a structural schema").
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from typing import Any, Final

import msgspec

from shared.crd.descriptions import description
from shared.model.job import JobSpec
from shared.model.types import Model

Schema = dict[str, Any]


class Mode(StrEnum):
    """How strict the schema of a JobSpec is."""

    STRICT = "strict"  # a Job: all rules
    TEMPLATE = "template"  # a JobTemplate: no patterns, because strings may contain $(params.x)
    PATCH = "patch"  # patch.jobSpec: a fragment, so also no required fields and no defaults


# Defaults of Volcano's own CRDs, except for the fields that a JobFlowPolicy can set (queue and maxRetry of a Job): the
# API server would fill these in before the webhook could. The mode of a policy has one so that `kubectl get` shows it.
DEFAULTS: Final[Mapping[tuple[str, str], Any]] = {
    ("NetworkTopology", "mode"): "hard",
    ("PartitionPolicy", "minPartitions"): 0,
    ("PodGroupSpec", "queue"): "default",
    ("CronJobFlowSpec", "suspend"): False,
    ("JobFlowPolicySpec", "mode"): "Enforce",
    ("SubGroupPolicy", "subGroupSize"): 1,
    ("SubGroupPolicy", "minSubGroups"): 0,
    ("CronJobSpec", "concurrencyPolicy"): "Allow",
    ("CronJobSpec", "suspend"): False,
    ("CronJobSpec", "successfulJobsHistoryLimit"): 3,
    ("CronJobSpec", "failedJobsHistoryLimit"): 1,
    ("QueueSpec", "weight"): 1,
    ("QueueSpec", "dequeueStrategy"): "traverse",
}
# Required fields of a type, besides those that have no default in its model.
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {"OwnerReference": ("apiVersion", "kind", "name", "uid")}
# Types that cannot be changed after creation. The webhook says so with more words; this holds without it, too.
_IMMUTABLE: Final = frozenset({"JobFlowPolicyExceptionSpec"})
_UNCHANGED: Final = {"rule": "self == oldSelf", "message": "may not be changed; create another object"}
_FORMATS: Final = frozenset({"int32", "int64", "date-time"})  # formats that the API server knows
_COPIED: Final = (
    "type", "enum", "minimum", "maximum", "exclusiveMinimum", "minLength", "maxLength", "minItems", "maxItems",
    "nullable", "x-kubernetes-map-type",
)  # fmt: skip
_PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING: Final = "x-kubernetes-int-or-string"
_TOP: Final[Mapping[str, str]] = {
    "apiVersion": "Group and version of this representation of the object.",
    "kind": "The REST resource this object represents.",
}


def kind_schema(model: type[Model], mode: Mode = Mode.STRICT) -> Schema:
    """The `openAPIV3Schema` of a kind. The API server defines metadata itself."""
    root, types = _described(model)
    properties = {
        name: {"type": "string", "description": _TOP[name]}
        if name in _TOP
        else {"type": "object"}
        if name == "metadata"
        else _field(model.__name__, name, field, types, mode)
        for name, field in root["properties"].items()
    }
    return {"type": "object", "description": root.get("description", ""), "properties": properties}


def job_spec_schema(mode: Mode) -> Schema:
    """The schema of a JobSpec in one of the three modes."""
    root, types = _described(JobSpec)
    return _inline(root, types, mode)


@cache
def _described(model: type[Model]) -> tuple[Schema, Schema]:
    """The model's own definition and those it refers to."""
    types: Schema = msgspec.json.schema(model)["$defs"]
    return types[model.__name__], types


def _inline(schema: Schema, types: Schema, mode: Mode) -> Schema:
    """`schema` with every reference replaced by what it refers to."""
    schema, title = _resolved(schema, types)
    if schema.get(_PRESERVE):
        return _whole(schema)
    if schema.get(_INT_OR_STRING):
        return {_INT_OR_STRING: True, "anyOf": [{"type": "integer"}, {"type": "string"}], **_description(schema)}
    result = {key: schema[key] for key in _COPIED if key in schema} | _description(schema)
    if "enum" in schema:
        result["type"] = "string"
    if schema.get("format") in _FORMATS:
        result["format"] = schema["format"]
    if "pattern" in schema and mode is Mode.STRICT:
        result["pattern"] = schema["pattern"]
    return result | _children(schema, title, types, mode)


def _children(schema: Schema, title: str, types: Schema, mode: Mode) -> Schema:
    """The schemas of an object's fields or a list's items, and the required fields."""
    result: Schema = {}
    if "properties" in schema:
        result["properties"] = {
            name: _field(title, name, field, types, mode) for name, field in schema["properties"].items()
        }
    required = REQUIRED.get(title, tuple(schema.get("required", ())))
    if required and mode is not Mode.PATCH:
        result["required"] = list(required)
    if title in _IMMUTABLE:
        result["x-kubernetes-validations"] = [dict(_UNCHANGED)]
    if "items" in schema:
        result["items"] = _inline(schema["items"], types, mode)
    if isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = _inline(schema["additionalProperties"], types, mode)
    return result


def _field(title: str, name: str, schema: Schema, types: Schema, mode: Mode) -> Schema:
    special = _SPECIAL.get((title, name))
    if special is not None:
        return special(schema)
    result = _inline(schema, types, mode)
    if "description" not in result and (text := description(title, name)):
        result["description"] = text
    if (title, name) in DEFAULTS and mode is not Mode.PATCH:
        result["default"] = DEFAULTS[title, name]
    return result


def _resolved(schema: Schema, types: Schema) -> tuple[Schema, str]:
    """Follows references and drops null branches; the outermost description wins. Also returns the type's name."""
    description = _description(schema)
    title = str(schema.get("title", ""))
    while True:
        if "$ref" in schema:
            title = schema["$ref"].rpartition("/")[2]
            schema = types[title]
        elif "anyOf" in schema and not (schema.get(_PRESERVE) or schema.get(_INT_OR_STRING)):
            schema = _without_null(schema)
        else:
            return schema | description, title
        description = description or _description(schema)


def _without_null(schema: Schema) -> Schema:
    branches = [branch for branch in schema["anyOf"] if branch.get("type") != "null"]
    if len(branches) != 1:
        raise ValueError(f"no structural schema for a union of {len(branches)} types: {schema}")
    return dict(branches[0])


def _whole(schema: Schema) -> Schema:
    """Any JSON, kept as it is; typed `object` if the model requires one."""
    typed = {"type": schema["type"]} if "type" in schema else {}
    return {**typed, **_description(schema), _PRESERVE: True}


def _description(schema: Schema) -> Schema:
    return {"description": schema["description"]} if schema.get("description") else {}


def _job_spec_patch(schema: Schema) -> Schema:
    return job_spec_schema(Mode.PATCH) | _description(schema)


# Fields that the model keeps raw, described for `kubectl explain`.
_SPECIAL: Final[Mapping[tuple[str, str], Callable[[Schema], Schema]]] = {("StepPatch", "jobSpec"): _job_spec_patch}
