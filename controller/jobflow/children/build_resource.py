"""The object of a step with `resource`: its manifest with values for placeholders, a name, an owner and labels."""

from controller.jobflow import reasons
from controller.jobflow.children.child_type import BuildFault
from controller.jobflow.children.metadata import child_metadata, marked, resolved, substituted, values_of
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import Iteration
from shared.model.step import Step
from shared.model.types import Body
from shared.resource_steps.expanded_fields import expanded_fields
from shared.resource_steps.manifest import manifest_faults
from shared.substitution import lookup_in


def build_resource(context: FlowContext, step: Step, name: str, attempt: int, iteration: Iteration | None) -> Body:
    """The object `name` of a step. Raises BuildFault, also for faults that the webhook refuses, because the object may
    have been stored without the webhook."""
    if step.resource is None:
        raise BuildFault(reasons.INVALID_SPEC, "the step creates no object")
    given = step.resource.manifest
    faults = [
        f"resource.manifest.{path}: {said}"
        for path, said, _ in manifest_faults(given, context.observed.flow.metadata.namespace)
    ]
    if faults:
        raise BuildFault(reasons.INVALID_SPEC, "; ".join(faults[:5]))
    lookup = marked(lookup_in(values_of(context, step, iteration)))
    filled = substituted(given, lookup, "resource.manifest")
    manifest = resolved(filled, expanded_fields(given), "resource.manifest")
    metadata = manifest.get("metadata") or {}
    own = child_metadata(
        context,
        step,
        name,
        attempt,
        iteration,
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
    )
    return {**manifest, "metadata": own}
