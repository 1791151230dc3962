"""A step of a JobFlow and its control primitives.

See docs/design/jobflow-api.md, sections 2, 4 and 5.
"""

import itertools
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from shared.model.phases import DependsCondition, DependsStrategy
from shared.model.types import WHOLE, Body, Count, Int32, IntOrString, Labels, Model, Port, Positive, Raw

NO_JOB_FIELDS: Final = ("switch", "flow", "approve", "resource")
"""Fields that make a step something else than a Job from a JobTemplate, for readers of raw steps."""


def raw_steps(flow: Body) -> tuple[Body, ...]:
    """The steps of `flows` and `finally` of a stored JobFlow, not parsed."""
    spec = flow.get("spec") or {}
    return (*(spec.get("flows") or ()), *(spec.get("finally") or ()))


def raw_step(flow: Body, name: str) -> Body:
    """A step of a stored JobFlow, not parsed; empty if there is none of this name."""
    found: Body = next((step for step in raw_steps(flow) if step.get("name") == name), {})
    return found


def makes_jobs(step: Body) -> bool:
    """Whether a step, not parsed, creates Jobs from a JobTemplate: `Step.makes_jobs` of the model."""
    return all(step.get(field) is None for field in NO_JOB_FIELDS)


def job_template_of(step: Body) -> str:
    """The JobTemplate of a step, not parsed; "" for a step that creates no Jobs."""
    return str(step.get("template") or step.get("name") or "") if makes_jobs(step) else ""


def flow_template_of(step: Body) -> str:
    """The JobFlowTemplate that a step, not parsed, runs as a flow; "" for any other step."""
    return str((step.get("flow") or {}).get("template") or "")


def manifest_of(flow: Body, step: str) -> Body | None:
    """The manifest of the object that a step of a stored JobFlow creates by `resource`; None for any other step."""
    return (raw_step(flow, step).get("resource") or {}).get("manifest") or None


Expression = Annotated[str, Meta(max_length=4096, extra_json_schema={"format": "cel"})]


class HttpHeader(Model, frozen=True, kw_only=True):
    name: str = ""
    value: str = ""


class HttpGet(Model, frozen=True, kw_only=True):
    """A GET request to every pod of the task; status 200 to 399 is a success."""

    task_name: Annotated[str, Meta(max_length=253)] = ""
    path: str = ""
    port: Port = 0
    http_header: HttpHeader | None = None


class TcpSocket(Model, frozen=True, kw_only=True):
    """The port accepts a connection on every pod of the task."""

    task_name: Annotated[str, Meta(max_length=253)] = ""
    port: Port


class TaskStatusProbe(Model, frozen=True, kw_only=True):
    """The task's pods have reached or passed a pod phase."""

    task_name: Annotated[str, Meta(max_length=253)] = ""
    phase: Annotated[str, Meta(max_length=63)] = ""


class Probe(Model, frozen=True, kw_only=True):
    """The step starts while its targets run, as soon as every probe succeeds."""

    http_get_list: tuple[HttpGet, ...] = ()
    tcp_socket_list: tuple[TcpSocket, ...] = ()
    task_status_list: tuple[TaskStatusProbe, ...] = ()


class DependsOn(Model, frozen=True, kw_only=True):
    """The steps to wait for, and the condition on their end."""

    targets: Annotated[tuple[str, ...], Meta(description="Steps that must end first.")] = ()
    strategy: Annotated[DependsStrategy | None, Meta(description="all (default) or any of the targets.")] = None
    condition: Annotated[
        DependsCondition | None,
        Meta(description="Required end of the targets: Completed (default), Failed, or Ended (any)."),
    ] = None
    probe: Annotated[Probe | None, Meta(description="Start while the targets run, once these probes succeed.")] = None


class JsonPatchOp(StrEnum):
    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"
    MOVE = "move"
    COPY = "copy"
    TEST = "test"


class JsonPatch(Model, frozen=True, kw_only=True):
    """One operation of RFC 6902 on the merged JobSpec."""

    op: JsonPatchOp
    path: str
    from_: str = msgspec.field(default="", name="from")
    value: Annotated[Any, Meta(extra_json_schema=WHOLE)] = msgspec.UNSET
    expression: Annotated[Expression | None, Meta(description="CEL; its result is the value.")] = None


class StepPatch(Model, frozen=True, kw_only=True):
    """Changes to the template's JobSpec for this step only."""

    job_spec: Annotated[Raw | None, Meta(description="Partial JobSpec merged over the template's.")] = None
    json_patch: Annotated[tuple[JsonPatch, ...], Meta(description="RFC 6902 operations, applied last.")] = ()


class Backoff(Model, frozen=True, kw_only=True):
    """Wait `duration` before the first retry, `factor` times as long before each further one, at most maxDuration."""

    duration: Annotated[str | None, Meta(description="Go duration; default 10s.")] = None
    factor: Annotated[Annotated[float, Meta(ge=1)] | None, Meta(description="Default 2.")] = None
    max_duration: Annotated[str | None, Meta(description="Go duration; default 5m.")] = None


class Retry(Model, frozen=True, kw_only=True):
    """Further attempts after a failed one, each a new Job."""

    limit: Annotated[Count | None, Meta(description="Further attempts; default 0.")] = None
    backoff: Backoff | None = None
    if_: Annotated[Expression | None, Meta(description="CEL bool over `attempt`; must hold for a retry.")] = (
        msgspec.field(default=None, name="if")
    )


class Case(Model, frozen=True, kw_only=True):
    """Values and the steps they choose."""

    when: tuple[str, ...] = ()
    run: tuple[str, ...] = ()


class Switch(Model, frozen=True, kw_only=True):
    """Chooses which steps run by a value; creates no Job."""

    value: Annotated[Expression, Meta(description="CEL: string, int or bool; compared as text.")]
    cases: tuple[Case, ...] = ()
    default: tuple[str, ...] = ()


class Range(Model, frozen=True, kw_only=True):
    """Integers from start up to, not including, end."""

    start: Int32 = 0
    end: Int32
    step: Int32 | None = None


Item = Annotated[str | dict[str, str], Meta(extra_json_schema=WHOLE)]


class Loop(Model, frozen=True, kw_only=True):
    """`for`: the step's Job once per item. Exactly one of items, matrix, range, expression, while."""

    items: Annotated[tuple[Item, ...] | None, Meta(description="Strings, or maps of strings.")] = None
    matrix: Annotated[
        dict[str, tuple[str, ...]] | None, Meta(description="The product of these lists, keys sorted.")
    ] = None
    range: Range | None = None
    expression: Annotated[
        Expression | None, Meta(description="CEL list, evaluated once when the step becomes ready.")
    ] = None
    while_: Annotated[Expression | None, Meta(description="CEL bool, before each iteration, one after the other.")] = (
        msgspec.field(default=None, name="while")
    )
    parallelism: Annotated[Positive | None, Meta(description="Iterations at once; default all (while: 1).")] = None
    max_iterations: Annotated[Annotated[int, Meta(ge=1, le=2000)] | None, Meta(description="Default 100.")] = None
    if_: Annotated[Expression | None, Meta(description="CEL bool over item and index; false: the item is Skipped.")] = (
        msgspec.field(default=None, name="if")
    )
    fail_fast: Annotated[
        bool | None,
        Meta(
            description="Whether the first failed iteration that is not tolerated stops the others. Default true under"
            " failureStrategy FailFast without allowFailure, else false."
        ),
    ] = None
    tolerate: Annotated[
        IntOrString | None,
        Meta(description='Iterations that may fail: a number, or a percentage such as "10%". Default 0.'),
    ] = None

    def written_items(self) -> Iterator[Item | int]:
        """The items that the spec itself lists, in order; none for `expression` and `while`."""
        if self.items is not None:
            yield from self.items
        elif self.matrix is not None:
            keys = sorted(self.matrix)
            for values in itertools.product(*(self.matrix[key] for key in keys)):
                yield dict(zip(keys, values, strict=True))
        elif self.range is not None and self.range.step != 0:
            yield from range(self.range.start, self.range.end, self.range.step or 1)


class SubFlow(Model, frozen=True, kw_only=True):
    """A flow that runs as one step. Exactly one of template and spec."""

    template: Annotated[str, Meta(max_length=253, description="A JobFlowTemplate of this namespace.")] = ""
    spec: Annotated[Raw | None, Meta(description="An inline spec of a JobFlow.")] = None
    params: Annotated[
        Labels, Meta(description="Params of the flow, by name. $(...) is replaced as in patch.jobSpec.")
    ] = {}


class OnTimeout(StrEnum):
    """What happens to a step that nobody has approved in time."""

    REJECT = "Reject"
    APPROVE = "Approve"


class Approve(Model, frozen=True, kw_only=True):
    """Waits for a person; creates no Job."""

    message: Annotated[str, Meta(max_length=1024, description="What is to be approved, for people.")] = ""
    timeout: Annotated[str | None, Meta(description="Go duration to wait at most; default: no limit.")] = None
    on_timeout: Annotated[
        OnTimeout | None,
        Meta(description="Reject (default) or Approve after the timeout. Approve counts only if a policy allows it."),
    ] = None


class ResourceTermination(Model, frozen=True, kw_only=True):
    """How an object is stopped instead of being deleted."""

    patch: Annotated[
        tuple[JsonPatch, ...],
        Meta(description="RFC 6902 operations below /spec, such as one that suspends the object."),
    ] = ()


class StepResource(Model, frozen=True, kw_only=True):
    """An object of any kind that the operator allows, and CEL over `object` that reports its progress."""

    manifest: Annotated[
        Raw,
        Meta(
            description="The object, without name. $(...) is replaced in its strings, but not in apiVersion and kind."
        ),
    ]
    success: Annotated[
        Expression | None, Meta(description="CEL bool over object: it has succeeded. Known kinds have a default.")
    ] = None
    failure: Annotated[
        Expression | None, Meta(description="CEL bool over object: it has failed. Known kinds have a default.")
    ] = None
    message: Annotated[Expression | None, Meta(description="CEL string over object: shown when it has failed.")] = None
    running: Annotated[
        Expression | None, Meta(description="CEL bool over object: it runs. Default: once it is created.")
    ] = None
    terminate: Annotated[ResourceTermination | None, Meta(description="How it is stopped; default: it is deleted.")] = (
        None
    )

    @property
    def type_meta(self) -> tuple[str, str]:
        """apiVersion and kind of the manifest; "None" for one that is absent, which no kind has."""
        return str(self.manifest.get("apiVersion")), str(self.manifest.get("kind"))


class Output(Model, frozen=True, kw_only=True):
    """A value taken from the termination message of a container when the Job ends, from the step's flow or its object."""

    name: str
    task: Annotated[str, Meta(description="Default: the first task.")] = ""
    container: Annotated[str, Meta(description="Default: the first container.")] = ""
    key: Annotated[
        str,
        Meta(
            description="The message is a JSON object and this key is taken; absent: the whole message."
            " Of a step with flow: the flow's output; absent: the one of this name."
        ),
    ] = ""
    expression: Annotated[Expression | None, Meta(description="CEL over object, of a step with resource.")] = None


class Step(Model, frozen=True, kw_only=True):
    """A node of the graph: creates a Job from a template when its dependencies are met."""

    name: Annotated[
        str, Meta(min_length=1, description="Unique in the flow; also the JobTemplate's name unless `template` is set.")
    ]
    template: Annotated[str, Meta(description="JobTemplate to use; default the step's name.")] = ""
    depends_on: DependsOn | None = None
    if_: Annotated[Expression | None, Meta(description="CEL bool; false: the step is Skipped.")] = msgspec.field(
        default=None, name="if"
    )
    switch: Switch | None = None
    approve: Annotated[Approve | None, Meta(description="Wait for a person's approval; no Job.")] = None
    flow: Annotated[SubFlow | None, Meta(description="Run a flow instead of a Job.")] = None
    resource: Annotated[StepResource | None, Meta(description="Create an object of another kind instead of a Job.")] = (
        None
    )
    for_: Annotated[Loop | None, Meta(description="Run the step once per item.")] = msgspec.field(
        default=None, name="for"
    )
    patch: StepPatch | None = None
    retry: Retry | None = None
    active_deadline_seconds: Annotated[
        Positive | None, Meta(description="Maximum duration of an attempt in seconds.")
    ] = None
    allow_failure: Annotated[bool, Meta(description="Its failure does not fail the flow.")] = False
    daemon: Annotated[
        bool, Meta(description="A step that serves others: stopped once every step that depends on it has ended.")
    ] = False
    outputs: Annotated[tuple[Output, ...], Meta(description="Values for later steps.")] = ()

    @property
    def makes_jobs(self) -> bool:
        """Whether it creates Jobs from a JobTemplate, as steps do that say nothing else."""
        return self.makes_children and self.flow is None and self.resource is None

    @property
    def makes_children(self) -> bool:
        """Whether it creates objects: Jobs, a flow, or an object of another kind."""
        return self.switch is None and self.approve is None

    @property
    def template_name(self) -> str:
        """The JobTemplate of a step that makes Jobs."""
        return self.template or self.name

    @property
    def targets(self) -> tuple[str, ...]:
        return self.depends_on.targets if self.depends_on else ()
