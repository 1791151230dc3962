"""Whether the steps before a step let it start: its targets, or what they serve, and the switch that can choose it."""

from controller.jobflow.control import probe
from controller.jobflow.control.depends_on import depends_on
from controller.jobflow.control.switch import selected
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.gate_result import GateResult, StepEnd, StepWait
from shared.model.step import Step


def dependency(context: FlowContext, step: Step) -> GateResult | None:
    """The result of the targets and of the switch; None: both let the step start."""
    targets = (probe.probe if probe.of(step) else depends_on)(context, step)
    if isinstance(targets, StepEnd):
        return targets
    chosen = selected(context, step)
    if isinstance(targets, StepWait) and isinstance(chosen, StepWait):
        return StepWait((*targets.waiting_for, *chosen.waiting_for))
    return chosen or targets
