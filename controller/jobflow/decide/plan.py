"""A JobFlow's spec, prepared once per generation: what waits for what, in which order, under which names."""

from typing import Final
from zlib import crc32

import msgspec

from controller.jobflow.decide.step_states import Standing
from shared.expressions import Problem, Program
from shared.graphs import directed, flow_graph
from shared.graphs.flow_graph import ExpressionPlace
from shared.model.flow import JobFlow
from shared.model.flow_status import StepStatus
from shared.model.meta import ObjectMeta
from shared.model.phases import DependsCondition, DependsStrategy
from shared.model.step import Item, Loop, Retry, Step
from shared.names import DEFAULT_MAX_ITERATIONS
from shared.naming import job_name

_NO_RETRY: Final = Retry()


class Condition(msgspec.Struct, frozen=True):
    """The value that an `if` had, and what it was read from."""

    value: bool
    outcome: str
    states: dict[str, StepStatus]
    metadata: ObjectMeta

    def holds_for(self, states: dict[str, StepStatus], metadata: ObjectMeta) -> bool:
        """Whether it would be read from the very same."""
        same = (metadata.labels, metadata.annotations) == (self.metadata.labels, self.metadata.annotations)
        return same and all(states.get(name) is state for name, state in self.states.items())


class Plan:
    """Facts that follow from the spec alone.

    `flows`, `finals`: the steps; `steps`: both by name; `order`: the names of `flows`, each after what it waits for;
    `position`: place in the spec, for free slots; `targets`: what each waits for, switches included; `chooser`: the
    switch that can choose a step; `followers`: who waits for a step; `fatal`: steps whose failure fails the flow; `simple`: the targets of steps
    that move only when all of them have; `fault`: why the graph cannot run, or "". `programs`
    and `items` remember what was compiled and which items a loop has, both by all they follow from.
    """

    def __init__(self, flow: JobFlow) -> None:
        spec = flow.spec
        self.flow_name = flow.metadata.name
        self.spec = spec
        self.flows = spec.flows
        self.finals = spec.finally_
        self.steps: dict[str, Step] = {step.name: step for step in (*spec.flows, *spec.finally_)}
        self.position = {name: place for place, name in enumerate(self.steps)}
        self.targets = flow_graph.edges(spec)
        self.chooser = flow_graph.switch_of(spec)
        self.order = directed.order(self.targets)
        self.followers = directed.dependents(self.targets)
        self.fatal = frozenset(step.name for step in spec.flows if not step.allow_failure)
        self.final_names = frozenset(step.name for step in spec.finally_)
        self.daemons = tuple(step.name for step in spec.flows if step.daemon)
        self.first_job = {name: job_name(self.flow_name, name) for name in self.steps}
        self.outputs = {name: tuple(one.name for one in step.outputs) for name, step in self.steps.items()}
        self.params = {param.name: param.value for param in spec.params}
        self.simple = {step.name: self.targets[step.name] for step in spec.flows if self._is_simple(step)}
        self.ancestors = directed.Ancestors(self.targets)
        self.programs: dict[tuple[str, ExpressionPlace, str], Program | tuple[Problem, ...]] = {}
        self.conditions: dict[str, Condition] = {}
        self.items: dict[tuple[str, str], tuple[Item, ...]] = {}
        self._digests: dict[str, str] = {}
        self._states: tuple[StepStatus, ...] = ()
        self._standing: Standing | None = None
        self.fault = self._fault()

    def _fault(self) -> str:
        if not self.flows:
            return "spec.flows is empty"
        if repeated := directed.duplicates(step.name for step in (*self.flows, *self.finals)):
            return f"several steps are named {', '.join(repeated)}"
        if missing := next(directed.dangling(self.targets), None):
            return f'step {missing[0]} waits for "{missing[2]}", which is no step'
        if path := directed.cycle(self.targets):
            return f"cycle {' -> '.join(path)}"
        return ""

    def _is_simple(self, step: Step) -> bool:
        """It waits for all of its targets and nothing else, and for no daemon."""
        if not step.targets or step.name in self.chooser or strategy_of(step) is not DependsStrategy.ALL:
            return False
        probed = step.depends_on is not None and step.depends_on.probe is not None
        return not probed

    def remember(self, states: tuple[StepStatus, ...], standing: Standing) -> None:
        """Keep where the steps stand, for a look that begins with these very objects."""
        self._states, self._standing = states, standing

    def standing(self, steps: dict[str, StepStatus]) -> Standing:
        """Where the steps stand in these states."""
        return Standing(steps, self.followers, self.fatal)

    def recall(self, states: tuple[StepStatus, ...]) -> Standing | None:
        """A copy of what was remembered of `states`."""
        return self._standing.copy() if states and states is self._states and self._standing else None

    def digest(self, step: Step) -> str:
        """A hash of the step's spec, to tell whether a Job was made from it as it is now."""
        known = self._digests.get(step.name)
        if known is None:
            known = self._digests[step.name] = f"{crc32(msgspec.json.encode(step, order='deterministic')):08x}"
        return known

    def retry(self, step: Step) -> Retry:
        """The step's own retry, else the flow's."""
        return step.retry or self.spec.retry or _NO_RETRY

    def job_name(self, step: str, index: int | None, attempt: int) -> str:
        if index is None and not attempt:
            return self.first_job[step]
        return job_name(self.flow_name, step, index, attempt)

    def serves(self, follower: str, daemon: str) -> bool:
        """Whether `follower` needs the daemon to run, rather than waiting for its end."""
        depends = self.steps[follower].depends_on
        return (
            depends is not None
            and daemon in depends.targets
            and (depends.probe is not None or _completed(depends.condition))
        )


def _completed(condition: DependsCondition | None) -> bool:
    return condition in (None, DependsCondition.COMPLETED)


def condition_of(step: Step) -> DependsCondition:
    """`dependsOn.condition` with its default."""
    return (step.depends_on.condition if step.depends_on else None) or DependsCondition.COMPLETED


def strategy_of(step: Step) -> DependsStrategy:
    """`dependsOn.strategy` with its default."""
    return (step.depends_on.strategy if step.depends_on else None) or DependsStrategy.ALL


def max_iterations(loop: Loop) -> int:
    """`for.maxIterations` with its default."""
    return loop.max_iterations or DEFAULT_MAX_ITERATIONS
