"""What a step's state means for the steps that depend on it (docs/design/jobflow-api.md, section 3.1)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from controller.jobflow import reasons
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.gate_result import StepEnd, skip
from shared.model.flow_status import StepStatus
from shared.model.phases import FlowOutcome, StepPhase
from shared.model.step import Step


class TargetOutcome(StrEnum):
    """What a target means for the steps that depend on it."""

    OPEN = "open"
    OK = "ok"
    BAD = "bad"
    SKIP = "skip"


BROKEN: Final = (StepPhase.FAILED, StepPhase.TERMINATED)


def target_outcome(step: Step, state: StepStatus) -> TargetOutcome:
    """The outcome of a target. A running daemon is OK: it serves."""
    if state.phase is StepPhase.COMPLETED:
        return TargetOutcome.OK
    if state.phase in BROKEN:
        return TargetOutcome.OK if step.allow_failure else TargetOutcome.BAD
    if state.phase is StepPhase.SKIPPED:
        return TargetOutcome.BAD if state.reason in reasons.BAD_SKIPS else TargetOutcome.SKIP
    return TargetOutcome.OK if step.daemon and state.phase is StepPhase.RUNNING else TargetOutcome.OPEN


def target_outcomes(context: FlowContext, names: Sequence[str]) -> list[TargetOutcome]:
    """One for each target."""
    return [target_outcome(context.plan.steps[name], context.steps[name]) for name in names]


def _was_stopped(state: StepStatus) -> bool:
    """Whether it did not run, or not to its end, because the flow was stopped."""
    stopped = state.phase is StepPhase.TERMINATED and state.reason in (*FlowOutcome, reasons.FLOW_STOPPED)
    return stopped or (state.phase is StepPhase.SKIPPED and state.reason == reasons.FLOW_STOPPED)


def upstream(context: FlowContext, targets: Sequence[str]) -> StepEnd:
    """The skip of a step whose ended targets keep it from running: UpstreamFailed if any is bad, FlowStopped if those that
    are have not failed themselves but were stopped with the flow."""
    bad = [
        name
        for name, found in zip(targets, target_outcomes(context, targets), strict=True)
        if found is TargetOutcome.BAD
    ]
    if bad and all(_was_stopped(context.steps[name]) for name in bad):
        return skip(reasons.FLOW_STOPPED, f"{', '.join(bad)} {'was' if len(bad) == 1 else 'were'} stopped"[:512])
    if bad:
        phases = " and ".join(sorted({str(context.steps[name].phase) for name in bad}))
        return skip(reasons.UPSTREAM_FAILED, f"{', '.join(bad)} ended {phases}"[:512])
    said = f"{', '.join(targets)} {'was' if len(targets) == 1 else 'were'} skipped"
    return skip(reasons.UPSTREAM_SKIPPED, said[:512])
