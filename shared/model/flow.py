"""JobFlow (flow.volcano.sh/v1alpha1): a graph of Jobs that are created from JobTemplates.

See docs/design/jobflow-api.md, section 1.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.model.flow_status import JobFlowStatus
from shared.model.meta import ObjectMeta
from shared.model.phases import FailureStrategy, RetainPolicy
from shared.model.step import Expression, Retry, Step
from shared.model.types import Count, Model, Positive


class Param(Model, frozen=True, kw_only=True):
    """`params.NAME` in expressions, `$(params.NAME)` in strings."""

    name: str
    value: str = ""


class FlowOutput(Model, frozen=True, kw_only=True):
    """A value that the flow has when it has ended: for `kubectl get`, and for the step that runs it."""

    name: str
    expression: Annotated[
        Expression, Meta(description="CEL over steps, params and flow, evaluated when the flow ends.")
    ]


class JobFlowSpec(Model, frozen=True, kw_only=True):
    """The steps, their order, and the handling of failures."""

    flows: Annotated[
        tuple[Step, ...],
        Meta(description="The steps. Their order decides only which step starts first when parallelism is limited."),
    ] = ()
    job_retain_policy: Annotated[
        RetainPolicy | None, Meta(description="delete: the Jobs are deleted when the flow has ended. Default retain.")
    ] = None
    params: Annotated[tuple[Param, ...], Meta(description="Values for expressions and templates.")] = ()
    parallelism: Annotated[Count | None, Meta(description="Maximum number of unfinished Jobs; 0: no limit.")] = None
    suspend: Annotated[bool, Meta(description="No new Jobs start; running Jobs continue.")] = False
    active_deadline_seconds: Annotated[
        Positive | None, Meta(description="Maximum duration of the flow in seconds, from its start.")
    ] = None
    finally_deadline_seconds: Annotated[
        Positive | None,
        Meta(
            description="Maximum duration of `finally` in seconds, from its start; may be set and changed at any time."
        ),
    ] = None
    ttl_seconds_after_finished: Annotated[
        Count | None, Meta(description="Seconds after its end until it is deleted.")
    ] = None
    failure_strategy: Annotated[
        FailureStrategy | None, Meta(description="Stop (default), Continue or FailFast after a step's failure.")
    ] = None
    retry: Annotated[Retry | None, Meta(description="Default for every step.")] = None
    finally_: Annotated[
        tuple[Step, ...], Meta(description="Steps that run after all other steps have ended, whatever the outcome.")
    ] = msgspec.field(default=(), name="finally")
    outputs: Annotated[tuple[FlowOutput, ...], Meta(description="Values of the ended flow, in status.outputs.")] = ()


class JobFlow(Model, frozen=True, kw_only=True):
    """A graph of batch jobs."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: JobFlowSpec = JobFlowSpec()
    status: JobFlowStatus = JobFlowStatus()
