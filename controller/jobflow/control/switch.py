"""`switch`: chooses which steps run by a value; it creates no Job (docs/design/jobflow-api.md, section 5.1)."""

from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import ExpressionFault, evaluate_at
from controller.jobflow.model.gate_result import GateResult, StepEnd, StepWait, fail, skip
from controller.jobflow.model.target_outcome import TargetOutcome, target_outcome, upstream
from controller.jobflow.reasons import INVALID_EXPRESSION, NOT_SELECTED
from shared.graphs.flow_graph import ExpressionPlace
from shared.model.phases import StepPhase
from shared.model.step import Step, Switch


def switch(context: FlowContext, step: Step) -> StepEnd | None:
    """The end of a switch step: Completed, with the steps it chose; None for other steps."""
    if step.switch is None:
        return None
    try:
        value = evaluate_at(context, step, ExpressionPlace.SWITCH, step.switch.value)
    except ExpressionFault as fault:
        return fail(INVALID_EXPRESSION, str(fault))
    text = str(value).lower() if isinstance(value, bool) else str(value)
    chosen = choose(step.switch, text)
    said = f'"{text[:100]}" chose {", ".join(chosen)}' if chosen else f'"{text[:100]}" chose no step'
    return StepEnd(StepPhase.COMPLETED, "", said, chosen=chosen)


def selected(context: FlowContext, step: Step) -> GateResult | None:
    """Why the switch that can choose this step keeps it from starting; None: it chose the step."""
    name = context.plan.chooser.get(step.name)
    if name is None:
        return None
    state = context.steps[name]
    if target_outcome(context.plan.steps[name], state) is TargetOutcome.OPEN:
        context.on_targets.add(step.name)
        return StepWait((f"waits for switch {name}",))
    if state.phase is not StepPhase.COMPLETED:
        return upstream(context, [name])
    if step.name in (state.chosen or ()):
        return None
    return skip(NOT_SELECTED, f"switch {name} did not choose it")


def choose(switch: Switch, text: str) -> tuple[str, ...]:
    """The steps of the first case that names the value, else the default ones."""
    return next((case.run for case in switch.cases if text in case.when), switch.default)
