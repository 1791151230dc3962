"""The plan of a JobFlow: its spec, prepared once per generation for the decisions that follow.

It answers which step waits for which, in which order steps are looked at, and which names their Jobs have. Decisions
ask these questions at every pass, so the answers are computed once.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from zlib import crc32

import msgspec

from controller.jobflow.model.step_states import StepStates
from shared.graphs import directed, flow_graph
from shared.graphs.nesting import known_outputs
from shared.model.flow import JobFlow
from shared.model.flow_status import StepStatus
from shared.model.phases import DependsCondition, DependsStrategy
from shared.model.step import Loop, Retry, Step
from shared.names import DEFAULT_MAX_ITERATIONS
from shared.naming import job_name

_NO_RETRY: Final = Retry()


class Plan:
    """Facts that follow from the spec alone. Nothing changes it after it was built.

    `flows`, `finals`: the steps; `steps`: both by name; `order`: the names of `flows`, each after its targets;
    `position`: place in the spec, which decides who gets a free slot first; `targets`: the steps that each step waits
    for, switches included; `chooser`: the switch that can choose a step; `followers`: the steps that wait for a step;
    `fatal`: steps whose failure fails the flow; `asks`: whether a step asks for approval; `loops`: `for` by step; `simple`: the targets of steps
    that wait for all of them and for nothing else; `digests`: hash of each step's spec, which tells whether a Job was made
    from the step as it is now; `fault`: why the graph cannot run, or "".
    """

    def __init__(self, flow: JobFlow) -> None:
        spec = flow.spec
        self.flow_name = flow.metadata.name
        self.spec = spec
        self.flows = spec.flows
        self.finals = spec.finally_
        self.steps: Mapping[str, Step] = MappingProxyType({step.name: step for step in (*spec.flows, *spec.finally_)})
        self.position = MappingProxyType({name: place for place, name in enumerate(self.steps)})
        self.targets = flow_graph.edges(spec)
        self.chooser = flow_graph.switch_of(spec)
        self.order = directed.order(self.targets)
        self.followers = directed.dependents(self.targets)
        self.fatal = frozenset(step.name for step in spec.flows if not step.allow_failure)
        self.final_names = frozenset(step.name for step in spec.finally_)
        self.daemons = tuple(step.name for step in spec.flows if step.daemon)
        self.asks = any(step.approve is not None for step in self.steps.values())
        self.loops = MappingProxyType({name: step.for_ for name, step in self.steps.items() if step.for_ is not None})
        self.first_job = MappingProxyType({name: job_name(self.flow_name, name) for name in self.steps})
        self.outputs = MappingProxyType({name: known_outputs(step) for name, step in self.steps.items()})
        self.params = {param.name: param.value for param in spec.params}
        self.simple = MappingProxyType(
            {step.name: self.targets[step.name] for step in spec.flows if self._is_simple(step)}
        )
        self.ancestors = directed.Ancestors(self.targets)
        self.digests = MappingProxyType({name: _digest(step) for name, step in self.steps.items()})
        self.fault = self._fault()
        self._complete = True

    def __setattr__(self, name: str, value: object) -> None:
        if getattr(self, "_complete", False):
            raise AttributeError(f"a Plan does not change: {name}")
        super().__setattr__(name, value)

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

    def step_states(self, steps: dict[str, StepStatus]) -> StepStates:
        """The given states with what follows from them."""
        return StepStates(steps, self.followers, self.fatal, self.loops)

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


def _digest(step: Step) -> str:
    return f"{crc32(msgspec.json.encode(step, order='deterministic')):08x}"


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
