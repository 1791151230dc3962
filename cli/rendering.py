"""The Jobs that a step would make, by the controller's own code and without a cluster. Pure."""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec.structs import replace

from controller.jobflow.control import loop as loops
from controller.jobflow.decide.context import Turn
from controller.jobflow.decide.plan import Plan
from controller.jobflow.decide.values import Iteration
from controller.jobflow.gate_result import End
from controller.jobflow.observe.observed import FlowSeen
from controller.jobflow.steps.build import BuildFault, build
from shared.model.flow import JobFlow
from shared.model.flow_status import StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Step
from shared.model.types import Body
from webhook.hints.names import did_you_mean

Outputs = Mapping[str, Mapping[str, str]]


class Unrenderable(Exception):
    """No Job can be shown; the message says of which step and why. `missing`: something given by name does not exist."""

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


class Renderer:
    """One JobFlow with its templates. `outputs`: by step, what it put out; all steps before count as Completed."""

    def __init__(self, flow: Body, templates: Mapping[str, Body], outputs: Outputs) -> None:
        try:
            read = msgspec.convert({key: value for key, value in flow.items() if key != "status"}, JobFlow)
        except msgspec.ValidationError as error:
            raise Unrenderable(f"the JobFlow breaks the schema: {error}; jobflow lint tells more") from error
        self._plan = Plan(read)
        if self._plan.fault:
            raise Unrenderable(f"the flow cannot run: {self._plan.fault}")
        self._check_outputs(outputs)
        self._templates = templates
        seen = FlowSeen(read, read.status, {}, {}, templates, now=0.0)
        ended = {name: _ended(name, outputs.get(name, {})) for name in self._plan.steps}
        self._turn = Turn(seen, self._plan, self._plan.standing(ended))

    def steps(self) -> list[str]:
        """Those that make Jobs."""
        return [step.name for step in self._plan.steps.values() if step.switch is None]

    def jobs(self, name: str, index: int | None = None) -> Iterator[Body]:
        """Every Job of the step's first attempt, or that of one iteration. Raises Unrenderable."""
        step = self._step(name)
        template = self._templates.get(step.template_name)
        if template is None:
            hint = did_you_mean(step.template_name, self._templates)
            said = (
                f'step {name}: no JobTemplate named "{step.template_name}" in the files{hint or "; give its file too"}'
            )
            raise Unrenderable(said, missing=True)
        for iteration in self._iterations(step, index):
            job = self._plan.job_name(name, None if iteration is None else iteration.index, 0)
            try:
                yield build(self._turn, step, job, 0, iteration, template)
            except BuildFault as fault:
                raise Unrenderable(f"step {name}: {fault.reason}: {fault}") from fault

    def _step(self, name: str) -> Step:
        step = self._plan.steps.get(name)
        if step is None:
            raise Unrenderable(f'no step named "{name}"{did_you_mean(name, self._plan.steps)}', missing=True)
        if step.switch is not None:
            raise Unrenderable(f"step {name} is a switch: it makes no Job")
        return step

    def _iterations(self, step: Step, index: int | None) -> list[Iteration] | list[None]:
        if step.for_ is None:
            if index is not None:
                raise Unrenderable(f"step {step.name} has no `for`, so no iteration {index}")
            return [None]
        found = self._all_iterations(step)
        if index is None:
            return found
        if step.for_.while_ is not None:
            return [Iteration(index)]
        chosen = [iteration for iteration in found if iteration.index == index]
        if not chosen:
            raise Unrenderable(f"step {step.name} has {len(found)} iterations, 0 to {len(found) - 1}", missing=True)
        return chosen

    def _all_iterations(self, step: Step) -> list[Iteration]:
        """As if all could start at once; of a `while`, the first."""
        assert step.for_ is not None
        if step.for_.while_ is not None:
            return [Iteration(0)]
        loop = replace(step.for_, parallelism=None)
        begun = loops.begin(self._turn, step, loop)
        if isinstance(begun, End):
            if begun.phase is StepPhase.COMPLETED:
                return []
            raise Unrenderable(f"step {step.name}: {begun.reason}: {begun.message}")
        state = StepStatus(name=step.name, iterations=begun[0], items_hash=begun[1])
        found = loops.next_iterations(self._turn, step, loop, state)
        return [] if isinstance(found, End) else found

    def _check_outputs(self, outputs: Outputs) -> None:
        for name, values in outputs.items():
            if name not in self._plan.steps:
                said = f'--output-of: no step named "{name}"{did_you_mean(name, self._plan.steps)}'
                raise Unrenderable(said, missing=True)
            for key in values:
                if key not in self._plan.outputs[name]:
                    hint = did_you_mean(key, self._plan.outputs[name])
                    raise Unrenderable(f'--output-of: step {name} has no output "{key}"{hint}', missing=True)


def _ended(name: str, outputs: Mapping[str, str]) -> StepStatus:
    return StepStatus(name=name, phase=StepPhase.COMPLETED, attempts=1, outputs=dict(outputs))
