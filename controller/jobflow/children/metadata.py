"""What every child has: values for its placeholders, labels, annotations, and an owner reference to the flow."""

from collections.abc import Mapping
from typing import Any

import msgspec

from controller.jobflow import reasons
from controller.jobflow.children.child_type import BuildFault
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import Iteration
from shared.kinds import JOBFLOW
from shared.model.step import Step
from shared.model.types import Body
from shared.names import ATTEMPT, CREATED_BY_FLOW, ITERATION, STEP, STEP_DIGEST
from shared.naming import label_value, qualified
from shared.podtemplate import expansion
from shared.substitution import Lookup, Reference, Values, substitute


def values_of(context: FlowContext, step: Step, iteration: Iteration | None) -> Values:
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


def substituted(value: Any, lookup: Lookup, path: str) -> Any:
    """`value` with its placeholders replaced. Raises BuildFault."""
    result = substitute(value, lookup, path)
    if result.faults:
        said = "; ".join(f"{fault.path}: {fault.text}: {fault.message}" for fault in result.faults[:5])
        raise BuildFault(reasons.INVALID_REFERENCE, said)
    return result.value


def marked(lookup: Lookup) -> Lookup:
    """A lookup whose values are marked as data (shared.podtemplate.expansion)."""

    def as_data(reference: Reference) -> str | None:
        found = lookup(reference)
        return None if found is None else str(expansion.as_data(found))

    return as_data


def resolved(body: Body, shape: expansion.Shape, path: str) -> Body:
    """`body` with its data as containers are to get it. Raises BuildFault."""
    try:
        made: Body = expansion.resolve(body, shape, path)
    except expansion.OpenReferenceError as fault:
        raise BuildFault(reasons.INVALID_REFERENCE, f"{fault.path}: {fault}") from fault
    return made


def child_metadata(
    context: FlowContext,
    step: Step,
    name: str,
    attempt: int,
    iteration: Iteration | None,
    *,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
) -> Body:
    """Name, owner, labels and annotations of a child. `labels`, `annotations`: what its type adds."""
    flow = context.observed.flow.metadata
    by_flow = qualified(flow.namespace, flow.name)
    own = {CREATED_BY_FLOW: label_value(by_flow), STEP: step.name, ATTEMPT: str(attempt)}
    if iteration is not None:
        own[ITERATION] = str(iteration.index)
    return {
        "name": name,
        "namespace": flow.namespace,
        "labels": {**labels, **own},
        "annotations": {**annotations, CREATED_BY_FLOW: by_flow, STEP_DIGEST: context.plan.digests[step.name]},
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
