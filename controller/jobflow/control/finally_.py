"""`finally`: when its steps may start, and the end of the flow (docs/design/jobflow-api.md, sections 1 and 3.3)."""

from controller.decision import Note
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import ExpressionFault, flow_output
from shared.model.phases import FlowOutcome, StepPhase
from shared.names import MAX_FLOW_OUTPUT_BYTES, MAX_OUTPUT_BYTES
from shared.timestamp import epoch_or_none

_BROKEN = (StepPhase.FAILED, StepPhase.TERMINATED)


def may_begin(context: FlowContext) -> bool:
    """Whether every step of `flows` has ended. The outcome is set then."""
    if context.flows_open:
        return False
    if not context.outcome:
        context.outcome = FlowOutcome.FAILED if context.failed else FlowOutcome.SUCCEED
    if context.plan.finals and context.finally_start_time is None and context.completion_time is None:
        context.finally_start_time = context.now_text
    return True


def finally_deadline(context: FlowContext) -> None:
    """End `finally` once `finallyDeadlineSeconds` are over; before that, wake up at the deadline."""
    seconds, begun = context.plan.spec.finally_deadline_seconds, epoch_or_none(context.finally_start_time)
    if seconds is None or begun is None or context.finally_outcome or not context.open:
        return
    if context.now < begun + seconds:
        context.wake_at(begun + seconds)
        return
    context.finally_outcome = FlowOutcome.DEADLINE_EXCEEDED
    context.urgent = True
    said = f"finallyDeadlineSeconds ({seconds} s) have passed; the steps of `finally` are terminated"
    context.notes.append(Note("FinallyDeadlineExceeded", said, "Warning"))


def finish(context: FlowContext) -> None:
    """End the flow once `finally` has ended. A failed step of `finally` makes the flow Failed."""
    if context.completion_time is not None or context.open:
        return
    finals = [context.steps[step.name] for step in context.plan.finals if not step.allow_failure]
    broken = any(state.phase in _BROKEN or state.stopped for state in finals)
    if (broken or context.finally_outcome) and context.outcome == FlowOutcome.SUCCEED:
        context.outcome = FlowOutcome.FAILED
    _evaluate_outputs(context)
    context.completion_time = context.now_text
    context.urgent = True


def _evaluate_outputs(context: FlowContext) -> None:
    """Set the flow's outputs. One that has no value makes a flow Failed that would have succeeded."""
    values: dict[str, str] = {}
    used = 0
    for output in context.plan.spec.outputs:
        try:
            value = flow_output(context, output)
        except ExpressionFault as fault:
            _output_fault(context, f'output "{output.name}": {fault}')
            continue
        used += len(value.encode())
        if len(value.encode()) > MAX_OUTPUT_BYTES or used > MAX_FLOW_OUTPUT_BYTES:
            most = f"more than {MAX_OUTPUT_BYTES} bytes, or all of them more than {MAX_FLOW_OUTPUT_BYTES}"
            _output_fault(context, f'output "{output.name}" has {most}')
            continue
        values[output.name] = value
    context.outputs = values


def _output_fault(context: FlowContext, said: str) -> None:
    context.notes.append(Note("OutputMissing", said[:512], "Warning"))
    if context.outcome == FlowOutcome.SUCCEED:
        context.outcome = FlowOutcome.FAILED
