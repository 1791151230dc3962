"""Builds the Job of a step from its template: merge, substitute, patch, name, label (docs/design/jobflow-api.md, section 6)."""

from typing import Any, Final

import jsonpatch
import msgspec
from jsonpointer import JsonPointerException

from controller.jobflow import reasons
from controller.jobflow.children.child_type import BuildFault
from controller.jobflow.children.merge import Unmergeable, merge_job_spec
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import ExpressionFault, Iteration, evaluate_at
from shared.children.metadata import copied_annotations
from shared.crd.unknown import unknown_in_job_spec
from shared.graphs.flow_graph import ExpressionPlace
from shared.kinds import JOB, JOBFLOW
from shared.model.step import JsonPatch, JsonPatchOp, Step
from shared.model.types import Body
from shared.names import (
    ATTEMPT,
    CREATED_BY_FLOW,
    CREATED_BY_TEMPLATE,
    ITERATION,
    STEP,
    STEP_DIGEST,
)
from shared.naming import label_value, qualified
from shared.podtemplate import expansion
from shared.substitution import Lookup, Reference, Values, lookup_in, substitute

_WITH_VALUE: Final = (JsonPatchOp.ADD, JsonPatchOp.REPLACE, JsonPatchOp.TEST)
_FROM: Final = (JsonPatchOp.MOVE, JsonPatchOp.COPY)


def build(
    context: FlowContext, step: Step, name: str, attempt: int, iteration: Iteration | None, template: Body
) -> Body:
    """The Job `name` of a step, as it is to be created. Raises BuildFault; `template` is not changed."""
    plain = lookup_in(_values(context, step, iteration))
    lookup = _marked(plain)
    spec = template.get("spec") or {}
    if step.patch is not None and step.patch.job_spec:
        try:
            spec = merge_job_spec(spec, step.patch.job_spec)
        except Unmergeable as fault:
            raise BuildFault(reasons.INVALID_PATCH, f"patch.jobSpec: {fault}") from fault
    spec = _substituted(spec, lookup, "spec")
    if step.patch is not None and step.patch.json_patch:
        spec = _patched(context, step, spec, iteration, lookup)
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.kind,
        "metadata": _metadata(context, step, name, attempt, iteration, template, plain),
        "spec": _resolved(spec),
    }


def _marked(lookup: Lookup) -> Lookup:
    """A lookup whose values are marked as data (shared.podtemplate.expansion)."""

    def marked(reference: Reference) -> str | None:
        found = lookup(reference)
        return None if found is None else str(expansion.as_data(found))

    return marked


def _resolved(spec: Body) -> Body:
    try:
        resolved: Body = expansion.resolve(spec, expansion.JOB_SPEC, "spec")
    except expansion.OpenReferenceError as fault:
        raise BuildFault(reasons.INVALID_REFERENCE, f"{fault.path}: {fault}") from fault
    return resolved


def _values(context: FlowContext, step: Step, iteration: Iteration | None) -> Values:
    metadata = context.observed.flow.metadata
    return Values(
        params=context.plan.params,
        flow_name=metadata.name,
        flow_namespace=metadata.namespace,
        step_name=step.name,
        outputs={
            name: {**dict.fromkeys(declared, ""), **context.steps[name].outputs}
            for name, declared in context.plan.outputs.items()
            if declared
        },
        item=msgspec.UNSET if iteration is None or iteration.item is None else iteration.item,
        index=None if iteration is None else iteration.index,
    )


def _substituted(value: Any, lookup: Lookup, path: str) -> Any:
    result = substitute(value, lookup, path)
    if result.faults:
        said = "; ".join(f"{fault.path}: {fault.text}: {fault.message}" for fault in result.faults[:5])
        raise BuildFault(reasons.INVALID_REFERENCE, said)
    return result.value


def _patched(context: FlowContext, step: Step, spec: Body, iteration: Iteration | None, lookup: Lookup) -> Body:
    operations = step.patch.json_patch if step.patch else ()
    for number, operation in enumerate(operations):
        try:
            raw = _operation(context, step, operation, iteration, lookup, number)
            spec = _applied(raw, spec)
        except ExpressionFault as fault:
            raise BuildFault(reasons.INVALID_EXPRESSION, f"patch.jsonPatch[{number}]: {fault}") from fault
        except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, KeyError) as fault:
            said = f"patch.jsonPatch[{number}]: {operation.op} {operation.path}: {fault}"
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
            raw["value"] = _substituted(operation.value, lookup, f"patch.jsonPatch[{number}].value")
    return raw


def _metadata(
    context: FlowContext,
    step: Step,
    name: str,
    attempt: int,
    iteration: Iteration | None,
    template: Body,
    lookup: Lookup,
) -> Body:
    flow = context.observed.flow.metadata
    given = template.get("metadata") or {}
    origin = {
        CREATED_BY_FLOW: qualified(flow.namespace, flow.name),
        CREATED_BY_TEMPLATE: qualified(flow.namespace, step.template_name),
    }
    own = {STEP: step.name, ATTEMPT: str(attempt)}
    if iteration is not None:
        own[ITERATION] = str(iteration.index)
    labels = _substituted(given.get("labels") or {}, lookup, "metadata.labels")
    annotations = _substituted(copied_annotations(given), lookup, "metadata.annotations")
    return {
        "name": name,
        "namespace": flow.namespace,
        "labels": {**labels, **{key: label_value(value) for key, value in origin.items()}, **own},
        "annotations": {**annotations, **origin, STEP_DIGEST: context.plan.digests[step.name]},
        "ownerReferences": [owner_reference(context)],
    }


def owner_reference(context: FlowContext) -> Body:
    """The controller reference to the flow."""
    metadata = context.observed.flow.metadata
    return {
        "apiVersion": JOBFLOW.api_version,
        "kind": JOBFLOW.kind,
        "name": metadata.name,
        "uid": metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
