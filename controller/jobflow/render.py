"""The objects that a flow's steps would create, by the controller's own code and without a cluster.

The CLI's `render` uses it. It is pure: a flow, its templates and given outputs in, bodies out.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from controller.jobflow.children.child_type import BuildFault, ChildType
from controller.jobflow.children.registry import type_of
from controller.jobflow.control import loop as loops
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import Iteration
from controller.jobflow.model.gate_result import StepEnd
from controller.jobflow.model.memo import NO_MEMO
from controller.jobflow.model.observed import ObservedFlow, ParentFlow
from controller.jobflow.model.plan import Plan
from shared.codec.api_words import fault_text
from shared.model.flow import JobFlow
from shared.model.flow_status import StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Step
from shared.model.types import Body

Outputs = Mapping[str, Mapping[str, str]]
"""Output values by step and name."""


class RenderError(Exception):
    """No object can be made; the message names the step and the reason."""


class UnknownNameError(RenderError):
    """A name that does not exist. `name`: as given; `known`: the names that exist; `advice`: what else may help."""

    def __init__(self, message: str, name: str, known: Iterable[str], advice: str = "") -> None:
        super().__init__(message)
        self.name = name
        self.known = tuple(known)
        self.advice = advice


class UnknownOutputError(UnknownNameError):
    """An output was given for a step that does not exist, or that does not declare it."""


class FlowRenderer:
    """One JobFlow with its templates by name. `outputs`: what steps produced; every earlier step counts as Completed.
    `flow_templates`: JobFlowTemplates by name; `parents`: the flows above this one, the nearest first.

    Raises RenderError for a flow that breaks the schema or whose graph cannot run.
    """

    def __init__(
        self,
        flow: Body,
        templates: Mapping[str, Body],
        outputs: Outputs,
        flow_templates: Mapping[str, Body] | None = None,
        parents: tuple[ParentFlow, ...] = (),
    ) -> None:
        try:
            parsed = msgspec.convert({key: value for key, value in flow.items() if key != "status"}, JobFlow)
        except msgspec.ValidationError as error:
            raise RenderError(
                f"the JobFlow breaks the schema: {fault_text(str(error))}; `jobflow lint` shows all faults"
            ) from error
        self._plan = Plan(parsed)
        if self._plan.fault:
            raise RenderError(f"the flow cannot run: {self._plan.fault}")
        self._check_outputs(outputs)
        self._templates = templates
        self._flow_templates = flow_templates or {}
        observed = ObservedFlow(
            parsed, parsed.status, {}, {}, templates, now=0.0, flow_templates=self._flow_templates, parents=parents
        )
        ended = {name: _completed(name, outputs.get(name, {})) for name in self._plan.steps}
        self._context = FlowContext(observed, self._plan, self._plan.step_states(ended), NO_MEMO)

    def steps(self) -> list[str]:
        """The steps that create objects."""
        return [step.name for step in self._plan.steps.values() if type_of(step) is not None]

    def objects(self, name: str, index: int | None = None) -> Iterator[Body]:
        """Every object of the step's first attempt, or that of one iteration; after a JobFlow, those of its own steps.

        `name`: of the step; STEP/STEP is a step of the flow that a step runs. Raises RenderError.
        """
        name, _, inner = name.partition("/")
        step = self._step(name)
        kind = type_of(step)
        if kind is None:
            raise RenderError(
                f"step {name} {'is a switch' if step.switch else 'waits for a person'}: it creates nothing"
            )
        if inner and step.flow is None:
            raise RenderError(f'step {name} runs no flow, so it has no step "{inner}"')
        self._check_templates(step, kind)
        for iteration in self._iterations(step, index):
            child = self._plan.job_name(name, None if iteration is None else iteration.index, 0)
            try:
                body = kind.build(self._context, step, child, 0, iteration)
            except BuildFault as fault:
                raise RenderError(f"step {name}: {fault.reason}: {fault}") from fault
            if not inner:
                yield body
            if step.flow is not None:
                yield from self._below(body, inner)

    def _below(self, flow: Body, only: str) -> Iterator[Body]:
        """The objects of a flow that a step runs, or of one of its steps."""
        renderer = FlowRenderer(flow, self._templates, {}, self._flow_templates, self._context.lineage)
        for name in [only] if only else renderer.steps():
            yield from renderer.objects(name)

    def _check_templates(self, step: Step, kind: ChildType) -> None:
        if step.makes_jobs and step.template_name not in self._templates:
            message = f'step {step.name}: no JobTemplate named "{step.template_name}" in the files'
            raise UnknownNameError(message, step.template_name, self._templates, "; give its file too")
        if step.flow is None:
            return
        missing = kind.missing(self._context, step)
        if isinstance(missing, StepEnd):
            raise RenderError(f"step {step.name}: {missing.reason}: {missing.message}")
        if missing is not None:
            message = f'step {step.name}: no JobFlowTemplate named "{step.flow.template}" in the files'
            raise UnknownNameError(message, step.flow.template, self._flow_templates, "; give its file too")

    def _step(self, name: str) -> Step:
        step = self._plan.steps.get(name)
        if step is None:
            raise UnknownNameError(f'no step named "{name}"', name, self._plan.steps)
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
