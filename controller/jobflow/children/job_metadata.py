"""Metadata of the Job of a step."""

from controller.jobflow.children.metadata import child_metadata, substituted
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import Iteration
from shared.children.metadata import copied_annotations
from shared.model.step import Step
from shared.model.types import Body
from shared.names import CREATED_BY_TEMPLATE
from shared.naming import label_value, qualified
from shared.substitution import Lookup


def job_metadata(
    context: FlowContext,
    step: Step,
    name: str,
    attempt: int,
    iteration: Iteration | None,
    template: Body,
    lookup: Lookup,
) -> Body:
    """Metadata of a Job: what every child has, and the labels and annotations of its JobTemplate."""
    given = template.get("metadata") or {}
    by_template = qualified(context.observed.flow.metadata.namespace, step.template_name)
    labels = substituted(given.get("labels") or {}, lookup, "metadata.labels")
    annotations = substituted(copied_annotations(given), lookup, "metadata.annotations")
    return child_metadata(
        context,
        step,
        name,
        attempt,
        iteration,
        labels={**labels, CREATED_BY_TEMPLATE: label_value(by_template)},
        annotations={**annotations, CREATED_BY_TEMPLATE: by_template},
    )
