"""What a rule looks at: the object as a frozen model and raw, what it was before, and what else exists."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

import msgspec

from shared import kinds
from shared.graphs import flow_graph
from shared.graphs.directed import Ancestors
from shared.kinds import Kind
from shared.model.command import Command
from shared.model.flow import JobFlowSpec
from shared.model.job import JobSpec, TaskSpec
from shared.model.podgroup import PodGroupSpec
from shared.model.policy import JobFlowPolicySpec
from shared.model.queue import QueueSpec
from shared.model.step import Step
from shared.model.types import Body
from shared.names import MAX_STEPS
from webhook.envelope.review import Operation
from webhook.subject.lookups import Lookups

S = TypeVar("S")
MAX_TASKS: Final = 1000  # of a Job; more could not be judged in the time that an API server waits
_GENERATED: Final = "x" * 5  # the API server's random suffix behind metadata.generateName


@dataclass(frozen=True)
class Subject(Generic[S]):
    """One object under admission. `spec`: its spec as a model; `old`, `old_spec`: as stored, on UPDATE and DELETE."""

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
        """metadata.name, or one as long as what the API server will make of generateName."""
        name = self.metadata.get("name") or f"{self.metadata.get('generateName') or ''}{_GENERATED}"
        return name if isinstance(name, str) else ""

    @cached_property
    def annotations(self) -> dict[str, str]:
        found = self.metadata.get("annotations")
        return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}

    @property
    def creating(self) -> bool:
        return self.operation is Operation.CREATE


@dataclass(frozen=True)
class FlowSubject(Subject[JobFlowSpec]):
    """A JobFlow, with what several rules derive from its graph computed once."""

    @cached_property
    def steps(self) -> tuple[tuple[str, Step], ...]:
        """(path, step) of every step of `flows` and `finally`; of a flow that is too long only its beginning."""
        flows = (*((f"spec.flows[{index}]", step) for index, step in enumerate(self.spec.flows[:MAX_STEPS])),)
        return (*flows, *((f"spec.finally[{index}]", step) for index, step in enumerate(self.spec.finally_)))

    @cached_property
    def special(self) -> tuple[tuple[str, Step], ...]:
        """Those of `steps` that say more than a name, a template and targets; most rules are about these alone."""
        return tuple((path, step) for path, step in self.steps if _is_special(step))

    @cached_property
    def edges(self) -> dict[str, tuple[str, ...]]:
        """What each step of `flows` waits for."""
        return flow_graph.edges(self.spec)

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
        """Declared outputs of every step of `flows` that has any."""
        return {step.name: tuple(each.name for each in step.outputs) for step in self.spec.flows if step.outputs}

    def ends_before(self, step: str, other: str) -> bool:
        """Whether `other` has ended when `step` starts; before a step of `finally`, every step of `flows` has."""
        if step in self.finally_names:
            return other in self.flow_names
        return self.ancestors.before(step, other)

    @cached_property
    def templates(self) -> dict[str, JobSpec]:
        """The JobTemplates of its steps that exist and can be read, by name."""
        names = dict.fromkeys(step.template_name for _, step in self.steps if step.switch is None)
        found = {name: self._template(name) for name in names}
        return {name: spec for name, spec in found.items() if spec is not None}

    def _template(self, name: str) -> JobSpec | None:
        body = self.lookups.get(kinds.JOBTEMPLATE, self.namespace, name)
        if body is None:
            return None
        try:
            return msgspec.convert(body.get("spec"), JobSpec)
        except msgspec.ValidationError:
            return None


@dataclass(frozen=True)
class JobSubject(Subject[JobSpec]):
    """A Job, or a JobTemplate: then strings may hold placeholders, and the Job's name is not known yet."""

    template: bool = False

    @cached_property
    def kind(self) -> Kind:
        return kinds.JOBTEMPLATE if self.template else kinds.JOB

    @cached_property
    def tasks(self) -> tuple[TaskSpec, ...]:
        """Its tasks; of a Job that has too many only the beginning."""
        return (self.spec.tasks or ())[:MAX_TASKS]

    @cached_property
    def total_replicas(self) -> int:
        return sum(task.replicas for task in self.spec.tasks or ())

    def open(self, text: str) -> bool:
        """Whether `text` is yet to be filled in, so that its form cannot be judged."""
        return self.template and "$(" in text


@dataclass(frozen=True)
class QueueSubject(Subject[QueueSpec]):
    """A Queue."""


@dataclass(frozen=True)
class GroupSubject(Subject[PodGroupSpec]):
    """A PodGroup."""


@dataclass(frozen=True)
class PolicySubject(Subject[JobFlowPolicySpec]):
    """A JobFlowPolicy."""


@dataclass(frozen=True)
class CommandSubject(Subject[Command]):
    """A Command, whose fields sit at top level: `spec` is the whole."""


@dataclass(frozen=True)
class PodSubject(Subject[None]):
    """A pod, read raw. `scheduler_names`: ours."""

    scheduler_names: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        return body_or_empty(self.raw.get("spec")).get("schedulerName") in self.scheduler_names


def _is_special(step: Step) -> bool:
    return (
        step.switch is not None
        or step.for_ is not None
        or step.if_ is not None
        or step.patch is not None
        or step.retry is not None
        or bool(step.outputs)
        or step.daemon
        or (step.depends_on is not None and step.depends_on.probe is not None)
    )


def body_or_empty(value: Any) -> Body:
    """`value` when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}
