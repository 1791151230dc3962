"""The input of rules: the object as a frozen model and as raw JSON, the stored object, and lookups of other objects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

import msgspec

from shared import kinds
from shared.graphs import flow_graph
from shared.graphs.directed import Ancestors, is_ordered
from shared.graphs.nesting import inline_spec, known_outputs
from shared.kinds import Kind
from shared.model.flow import JobFlowSpec
from shared.model.job import JobSpec, TaskSpec
from shared.model.step import Step
from shared.model.types import Body
from shared.names import MAX_STEPS
from shared.resource_steps.allowed import AllowedKind
from webhook.envelope.review import Operation
from webhook.subject.lookups import Lookups

S = TypeVar("S")
MAX_TASKS: Final = 1000  # per Job; more could not be validated within the API server's time-out
_GENERATED: Final = "x" * 5  # stands for the random suffix that the API server appends to metadata.generateName


@dataclass(frozen=True)
class Subject(Generic[S]):
    """One object under admission. `spec`: its spec as a model; `old`, `old_spec`: the stored object (UPDATE, DELETE)."""

    raw: Body
    spec: S
    operation: Operation
    lookups: Lookups
    namespace: str = ""
    old: Body | None = None
    old_spec: S | None = None

    @cached_property
    def metadata(self) -> Body:
        metadata = self.raw.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    @cached_property
    def name(self) -> str:
        """metadata.name, or a name as long as the one that the API server generates from generateName."""
        name = self.metadata.get("name") or f"{self.metadata.get('generateName') or ''}{_GENERATED}"
        return name if isinstance(name, str) else ""

    @cached_property
    def annotations(self) -> dict[str, str]:
        found = self.metadata.get("annotations")
        return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}

    @cached_property
    def of_a_flow(self) -> bool:
        """Whether a step of a JobFlow created it. The controller shortens names that such objects give, if need be."""
        owners = self.metadata.get("ownerReferences")
        return any(
            body_or_empty(owner).get("kind") == kinds.JOBFLOW.kind and body_or_empty(owner).get("controller") is True
            for owner in (owners if isinstance(owners, list) else ())
        )

    @property
    def creating(self) -> bool:
        return self.operation is Operation.CREATE


@dataclass(frozen=True)
class FlowSubject(Subject[JobFlowSpec]):
    """A JobFlow. Values that several rules derive from its graph are computed once.

    `nested`: it is written out in a step of another flow; `username`: who sends it; `template_name`: of the JobFlowTemplate
    whose flow it is, or ""; `resource_kinds`: that the operator allows steps to create; None: not known.
    """

    nested: bool = False
    username: str = ""
    template_name: str = ""
    resource_kinds: tuple[AllowedKind, ...] | None = None

    @cached_property
    def bare_steps(self) -> tuple[Step, ...]:
        """Every step of `flows` and `finally`; only the first MAX_STEPS of `flows`."""
        return (*self.spec.flows[:MAX_STEPS], *self.spec.finally_)

    @cached_property
    def steps(self) -> tuple[tuple[str, Step], ...]:
        """(path, step) of each of `bare_steps`."""
        return tuple((self._path(at), step) for at, step in enumerate(self.bare_steps))

    def _path(self, at: int) -> str:
        """The path of a step, from its place in `bare_steps`."""
        flows = min(len(self.spec.flows), MAX_STEPS)
        return f"spec.flows[{at}]" if at < flows else f"spec.finally[{at - flows}]"

    @cached_property
    def step_names(self) -> tuple[str, ...]:
        """The name of each of `bare_steps`."""
        return tuple([step.name for step in self.bare_steps])

    @cached_property
    def special(self) -> tuple[tuple[str, Step], ...]:
        """(path, step) of the steps that set more than name, template and targets; most rules read only these."""
        return tuple((self._path(at), self.bare_steps[at]) for at in _special(self.bare_steps))

    @cached_property
    def is_plain(self) -> bool:
        """Whether no step sets more than name, template and targets."""
        return not self.special and len(self.spec.flows) <= MAX_STEPS

    @cached_property
    def edges(self) -> dict[str, tuple[str, ...]]:
        """The targets of each step of `flows`, by step name."""
        return flow_graph.edges(self.spec)

    @cached_property
    def is_ordered(self) -> bool:
        """Whether every step comes after its targets, as is usual: then all targets exist, and there is no cycle."""
        waiting = [step for step in self.spec.flows if step.depends_on is not None or step.switch is not None]
        return not waiting or is_ordered(self.edges)

    @cached_property
    def ancestors(self) -> Ancestors:
        return Ancestors(self.edges)

    @cached_property
    def flow_names(self) -> frozenset[str]:
        return frozenset(step.name for step in self.spec.flows)

    @cached_property
    def finally_names(self) -> frozenset[str]:
        return frozenset(step.name for step in self.spec.finally_)

    @cached_property
    def sorted_names(self) -> tuple[str, ...]:
        return tuple(sorted(self.flow_names))

    @cached_property
    def outputs(self) -> dict[str, tuple[str, ...]]:
        """Names of the declared outputs of the steps of `flows` that have any, by step name."""
        makers = (step for step in self.spec.flows if step.outputs or step.flow is not None)
        return {step.name: found for step in makers if (found := known_outputs(step))}

    @cached_property
    def inner(self) -> tuple[tuple[str, "FlowSubject"], ...]:
        """(path of its spec, flow) of every flow that a step writes out and that can be read."""
        return tuple(self._inner())

    def _inner(self) -> Iterator[tuple[str, "FlowSubject"]]:
        for path, step in self.special:
            spec = inline_spec(step.flow)
            if spec is None or step.flow is None:
                continue
            owner = {"kind": kinds.JOBFLOW.kind, "name": self.name, "controller": True}
            metadata = {"name": f"{self.name}-{step.name}", "ownerReferences": [owner]}
            raw = {"metadata": metadata, "spec": step.flow.spec}
            yield (
                f"{path}.flow.spec",
                FlowSubject(
                    raw,
                    spec,
                    Operation.CREATE,
                    self.lookups,
                    self.namespace,
                    nested=True,
                    resource_kinds=self.resource_kinds,
                ),
            )

    def ends_before(self, step: str, other: str) -> bool:
        """Whether `other` ends before `step` starts. Every step of `flows` ends before a step of `finally` starts."""
        if step in self.finally_names:
            return other in self.flow_names
        return self.ancestors.before(step, other)

    @cached_property
    def template_names(self) -> tuple[str, ...]:
        """The JobTemplates of the steps, each once."""
        makers = [step for step in self.bare_steps if step.makes_jobs] if self.special else self.bare_steps
        return tuple(dict.fromkeys([step.template or step.name for step in makers]))

    @cached_property
    def template_bodies(self) -> dict[str, Body]:
        """The existing JobTemplates of the steps, by name."""
        get, namespace = self.lookups.get, self.namespace
        found = [(name, get(kinds.JOBTEMPLATE, namespace, name)) for name in self.template_names]
        return {name: body for name, body in found if body is not None}

    @cached_property
    def templates(self) -> dict[str, JobSpec]:
        """The existing JobTemplates of the steps, by name; those that do not match the schema are left out."""
        found = {name: _job_spec(body) for name, body in self.template_bodies.items()}
        return {name: spec for name, spec in found.items() if spec is not None}


@dataclass(frozen=True)
class JobSubject(Subject[JobSpec]):
    """A Job or a JobTemplate. Strings of a JobTemplate may contain placeholders, and the Job's name is not known yet.

    `scheduler_names`: the schedulers that the installation knows; empty for not known. `disabled_plugins`: plugins that the
    operator disabled.
    """

    template: bool = False
    scheduler_names: tuple[str, ...] = ()
    disabled_plugins: tuple[str, ...] = ()

    @cached_property
    def kind(self) -> Kind:
        return kinds.JOBTEMPLATE if self.template else kinds.JOB

    @cached_property
    def tasks(self) -> tuple[TaskSpec, ...]:
        """The first MAX_TASKS tasks."""
        return (self.spec.tasks or ())[:MAX_TASKS]

    @cached_property
    def total_replicas(self) -> int:
        return sum(task.replicas for task in self.spec.tasks or ())

    def open(self, text: str) -> bool:
        """Whether `text` contains a placeholder, so that its format cannot be validated yet."""
        return self.template and "$(" in text


@dataclass(frozen=True)
class PodSubject(Subject[None]):
    """A pod, read as raw JSON. `scheduler_names`: the schedulers whose pods are validated."""

    scheduler_names: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        return body_or_empty(self.raw.get("spec")).get("schedulerName") in self.scheduler_names


def _special(steps: Sequence[Step]) -> list[int]:
    """The places of the steps that set more than name, template and targets. One loop, because most steps do not."""
    return [
        at
        for at, step in enumerate(steps)
        if step.switch is not None
        or step.for_ is not None
        or step.if_ is not None
        or step.patch is not None
        or step.flow is not None
        or step.approve is not None
        or step.resource is not None
        or step.retry is not None
        or step.outputs
        or step.daemon
        or (step.depends_on is not None and step.depends_on.probe is not None)
    ]


def _job_spec(template: Body) -> JobSpec | None:
    """The spec of a JobTemplate; None if it does not match the schema."""
    try:
        return msgspec.convert(template.get("spec"), JobSpec)
    except msgspec.ValidationError:
        return None


def body_or_empty(value: Any) -> Body:
    """`value` if it is a JSON object, else an empty object."""
    return value if isinstance(value, dict) else {}
