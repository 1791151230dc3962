"""JobFlowTemplate (flow.jobflow.dev/v1alpha1): a reusable JobFlow with typed parameters."""

from typing import Annotated

from msgspec import Meta

from shared.model.flow import FlowOutput, JobFlowSpec
from shared.model.meta import ObjectMeta
from shared.model.schedules.common import Condition
from shared.model.types import IDENTIFIER, Int64, Model


class TemplateParam(Model, frozen=True, kw_only=True):
    """A param of the template, with its allowed values and its default."""

    name: Annotated[str, Meta(extra_json_schema={"pattern": IDENTIFIER}, max_length=63)]
    default: Annotated[str | None, Meta(description="Value when none is given. Absent: see required.")] = None
    enum: Annotated[tuple[str, ...], Meta(description="The values that are allowed. Empty: any.")] = ()
    pattern: Annotated[str, Meta(description="An RE2 pattern that the whole value must match.")] = ""
    description: str = ""
    required: Annotated[bool, Meta(description="Refuse a flow that gives no value.")] = False


class JobFlowTemplateSpec(Model, frozen=True, kw_only=True):
    params: Annotated[tuple[TemplateParam, ...], Meta(description="Parameters; used as $(params.NAME).")] = ()
    flow: Annotated[JobFlowSpec, Meta(description="The JobFlow that is created.")]
    outputs: Annotated[
        tuple[FlowOutput, ...], Meta(description="Outputs of the flows; added to those in flow.outputs.")
    ] = ()


class FlowTemplateStatus(Model, frozen=True, kw_only=True):
    """Whether flows can be created from the template: the condition Ready, and Stalled where only an edit helps."""

    params: Annotated[tuple[str, ...], Meta(description="The names of the params.")] = ()
    observed_generation: Int64 = 0
    conditions: tuple[Condition, ...] = ()


class JobFlowTemplate(Model, frozen=True, kw_only=True):
    """A template of JobFlows, with params."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: JobFlowTemplateSpec
    status: FlowTemplateStatus = FlowTemplateStatus()
