"""The Jobs that a flow's steps would make, by the controller's own code and without a cluster.

The CLI's `render` uses it. It is pure: a flow, its templates and given outputs in, Job bodies out.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from controller.jobflow.children.child_type import BuildFault
from controller.jobflow.children.registry import JOBS
from controller.jobflow.control import loop as loops
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import Iteration
from controller.jobflow.model.gate_result import StepEnd
from controller.jobflow.model.memo import NO_MEMO
from controller.jobflow.model.observed import ObservedFlow
from controller.jobflow.model.plan import Plan
from shared.codec.api_words import spoken
from shared.model.flow import JobFlow
from shared.model.flow_status import StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Step
from shared.model.types import Body

Outputs = Mapping[str, Mapping[str, str]]
"""Output values by step and name."""


class RenderError(Exception):
    """No Job can be made; the message names the step and the reason."""


class UnknownNameError(RenderError):
    """A name that does not exist. `name`: as given; `known`: the names that exist; `advice`: what else may help."""

    def __init__(self, message: str, name: str, known: Iterable[str], advice: str = "") -> None:
        super().__init__(message)
        self.name = name
        self.known = tuple(known)
        self.advice = advice


class UnknownOutputError(UnknownNameError):
    """An output was given for a step that does not exist, or that does not declare it."""


class JobRenderer:
    """One JobFlow with its templates by name. `outputs`: what steps produced; every earlier step counts as Completed.

    Raises RenderError for a flow that breaks the schema or whose graph cannot run.
    """

    def __init__(self, flow: Body, templates: Mapping[str, Body], outputs: Outputs) -> None:
        try:
            parsed = msgspec.convert({key: value for key, value in flow.items() if key != "status"}, JobFlow)
        except msgspec.ValidationError as error:
            raise RenderError(
                f"the JobFlow breaks the schema: {spoken(str(error))}; `jobflow lint` shows all faults"
            ) from error
        self._plan = Plan(parsed)
        if self._plan.fault:
            raise RenderError(f"the flow cannot run: {self._plan.fault}")
        self._check_outputs(outputs)
        self._templates = templates
        observed = ObservedFlow(parsed, parsed.status, {}, {}, templates, now=0.0)
        ended = {name: _completed(name, outputs.get(name, {})) for name in self._plan.steps}
        self._context = FlowContext(observed, self._plan, self._plan.step_states(ended), NO_MEMO)

    def steps(self) -> list[str]:
        """The steps that make Jobs."""
        return [step.name for step in self._plan.steps.values() if step.makes_jobs]

    def jobs(self, name: str, index: int | None = None) -> Iterator[Body]:
        """Every Job of the step's first attempt, or that of one iteration. Raises RenderError."""
        step = self._step(name)
        template = self._templates.get(step.template_name)
        if template is None:
            message = f'step {name}: no JobTemplate named "{step.template_name}" in the files'
            raise UnknownNameError(message, step.template_name, self._templates, "; give its file too")
        for iteration in self._iterations(step, index):
            job = self._plan.job_name(name, None if iteration is None else iteration.index, 0)
            try:
                yield JOBS.build(self._context, step, job, 0, iteration)
            except BuildFault as fault:
                raise RenderError(f"step {name}: {fault.reason}: {fault}") from fault

    def _step(self, name: str) -> Step:
        step = self._plan.steps.get(name)
        if step is None:
            raise UnknownNameError(f'no step named "{name}"', name, self._plan.steps)
        if step.switch is not None:
            raise RenderError(f"step {name} is a switch: it makes no Job")
        return step

    def _iterations(self, step: Step, index: int | None) -> list[Iteration] | list[None]:
        if step.for_ is None:
            if index is not None:
                raise RenderError(f"step {step.name} has no `for`, so no iteration {index}")
            return [None]
        found = self._all_iterations(step)
        if index is None:
            return found
        if step.for_.while_ is not None:
            return [Iteration(index)]
        chosen = [iteration for iteration in found if iteration.index == index]
        if not chosen:
            message = f"step {step.name} has {len(found)} iterations, 0 to {len(found) - 1}"
            raise UnknownNameError(message, str(index), ())
        return chosen

    def _all_iterations(self, step: Step) -> list[Iteration]:
        """All at once, without `parallelism`; of a `while`, the first."""
        assert step.for_ is not None
        if step.for_.while_ is not None:
            return [Iteration(0)]
        loop = replace(step.for_, parallelism=None)
        begun = loops.begin(self._context, step, loop)
        if isinstance(begun, StepEnd):
            if begun.phase is StepPhase.COMPLETED:
                return []
            raise RenderError(f"step {step.name}: {begun.reason}: {begun.message}")
        state = StepStatus(name=step.name, iterations=begun[0], items_hash=begun[1])
        found = loops.next_iterations(self._context, step, loop, state)
        return [] if isinstance(found, StepEnd) else found

    def _check_outputs(self, outputs: Outputs) -> None:
        for name, values in outputs.items():
            if name not in self._plan.steps:
                raise UnknownOutputError(f'no step named "{name}"', name, self._plan.steps)
            for key in values:
                if key not in self._plan.outputs[name]:
                    message = f'step {name} has no output "{key}"'
                    raise UnknownOutputError(message, key, self._plan.outputs[name])


def _completed(name: str, outputs: Mapping[str, str]) -> StepStatus:
    return StepStatus(name=name, phase=StepPhase.COMPLETED, attempts=1, outputs=dict(outputs))
