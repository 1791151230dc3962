"""Builds the Job of a step from its template: merge, substitute, patch, name, label (docs/design/jobflow-api.md, section 6)."""

from typing import Any, Final

import jsonpatch
import msgspec
from jsonpointer import JsonPointerException

from controller.jobflow import reasons
from controller.jobflow.children.child_type import BuildFault
from controller.jobflow.children.job_metadata import job_metadata
from controller.jobflow.children.merge import Unmergeable, merge_job_spec
from controller.jobflow.children.metadata import marked, resolved, substituted, values_of
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import ExpressionFault, Iteration, evaluate_at
from shared.codec.patch_words import patch_fault
from shared.crd.unknown import unknown_in_job_spec
from shared.graphs.flow_graph import ExpressionPlace
from shared.kinds import JOB
from shared.model.step import JsonPatch, JsonPatchOp, Step
from shared.model.types import Body
from shared.podtemplate import expansion
from shared.substitution import Lookup, lookup_in

_WITH_VALUE: Final = (JsonPatchOp.ADD, JsonPatchOp.REPLACE, JsonPatchOp.TEST)
_FROM: Final = (JsonPatchOp.MOVE, JsonPatchOp.COPY)


def build(
    context: FlowContext, step: Step, name: str, attempt: int, iteration: Iteration | None, template: Body
) -> Body:
    """The Job `name` of a step, as it is to be created. Raises BuildFault; `template` is not changed."""
    plain = lookup_in(values_of(context, step, iteration))
    lookup = marked(plain)
    spec = template.get("spec") or {}
    if step.patch is not None and step.patch.job_spec:
        try:
            spec = merge_job_spec(spec, step.patch.job_spec)
        except Unmergeable as fault:
            raise BuildFault(reasons.INVALID_PATCH, f"patch.jobSpec: {fault}") from fault
    spec = substituted(spec, lookup, "spec")
    if step.patch is not None and step.patch.json_patch:
        spec = _patched(context, step, spec, iteration, lookup)
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.kind,
        "metadata": job_metadata(context, step, name, attempt, iteration, template, plain),
        "spec": resolved(spec, expansion.JOB_SPEC, "spec"),
    }


def _patched(context: FlowContext, step: Step, spec: Body, iteration: Iteration | None, lookup: Lookup) -> Body:
    operations = step.patch.json_patch if step.patch else ()
    for number, operation in enumerate(operations):
        try:
            raw = _operation(context, step, operation, iteration, lookup, number)
        except ExpressionFault as fault:
            raise BuildFault(reasons.INVALID_EXPRESSION, f"patch.jsonPatch[{number}]: {fault}") from fault
        try:
            spec = _applied(raw, spec)
        except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, KeyError) as fault:
            why = patch_fault(expansion.without_marks(raw), expansion.without_marks(spec)) or str(fault)
            said = f"patch.jsonPatch[{number}]: {operation.op} {operation.path}: {why}"
            raise BuildFault(reasons.INVALID_PATCH, expansion.without_marks(said)[:512]) from fault
    if not isinstance(spec, dict):
        raise BuildFault(reasons.INVALID_PATCH, "patch.jsonPatch leaves no JobSpec")
    if unknown := [place for place, _, _ in unknown_in_job_spec(spec)]:
        raise BuildFault(
            reasons.INVALID_PATCH, f"patch.jsonPatch makes fields that no Job has: {', '.join(unknown[:5])}"
        )
    return spec


def _applied(raw: Body, spec: Body) -> Any:
    if raw["op"] == JsonPatchOp.TEST:  # marks are no part of a value
        jsonpatch.JsonPatch([expansion.without_marks(raw)]).apply(expansion.without_marks(spec))
        return spec
    return jsonpatch.JsonPatch([raw]).apply(spec)


def _operation(
    context: FlowContext, step: Step, operation: JsonPatch, iteration: Iteration | None, lookup: Lookup, number: int
) -> Body:
    raw: Body = {"op": str(operation.op), "path": operation.path}
    if operation.op in _FROM:
        raw["from"] = operation.from_
    if operation.op in _WITH_VALUE:
        if operation.expression is not None:
            value = evaluate_at(context, step, ExpressionPlace.PATCH, operation.expression, iteration=iteration)
            raw["value"] = expansion.as_data(value)
        elif operation.value is not msgspec.UNSET:
            raw["value"] = substituted(operation.value, lookup, f"patch.jsonPatch[{number}].value")
    return raw
