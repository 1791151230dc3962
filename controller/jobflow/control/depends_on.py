"""`dependsOn` without probes: whether the targets let a step start (docs/design/jobflow-api.md, section 3.1)."""

from collections.abc import Sequence
from typing import Final

from controller.jobflow import reasons
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.gate_result import GateResult, StepWait, skip
from controller.jobflow.model.plan import condition_of, strategy_of
from controller.jobflow.model.target_outcome import BROKEN, TargetOutcome, target_outcomes, upstream
from shared.model.phases import DependsCondition, DependsStrategy
from shared.model.step import Step

_LONGEST: Final = 256
_WORDS: Final = {
    DependsCondition.COMPLETED: "waits for",
    DependsCondition.FAILED: "waits for a failure of",
    DependsCondition.ENDED: "waits for the end of",
}


def depends_on(context: FlowContext, step: Step) -> GateResult | None:
    """Why the step's targets keep it from starting; None: they let it start."""
    targets = tuple(dict.fromkeys(step.targets))
    return _RULES[condition_of(step)](context, step, targets) if targets else None


def _completed(context: FlowContext, step: Step, targets: Sequence[str]) -> GateResult | None:
    found = target_outcomes(context, targets)
    if _any(step) and TargetOutcome.OK in found:
        return None
    if TargetOutcome.OPEN in found:
        return _wait(
            context, step, [name for name, one in zip(targets, found, strict=True) if one is TargetOutcome.OPEN]
        )
    return None if TargetOutcome.OK in found and TargetOutcome.BAD not in found else upstream(context, targets)


def _failed(context: FlowContext, step: Step, targets: Sequence[str]) -> GateResult | None:
    open_ = _open(context, targets)
    if any(context.steps[name].phase in BROKEN for name in targets) and (not open_ or _any(step)):
        return None
    if open_:
        return _wait(context, step, open_)
    return skip(reasons.NOT_FAILED, f"{', '.join(targets)} did not fail"[:512])


def _ended(context: FlowContext, step: Step, targets: Sequence[str]) -> GateResult | None:
    open_ = _open(context, targets)
    if not open_ or (_any(step) and len(open_) < len(targets)):
        return None
    return _wait(context, step, open_)


def _any(step: Step) -> bool:
    return strategy_of(step) is DependsStrategy.ANY


def _open(context: FlowContext, targets: Sequence[str]) -> list[str]:
    return [name for name in targets if not context.steps[name].phase.ended]


def _wait(context: FlowContext, step: Step, targets: Sequence[str]) -> StepWait:
    context.on_targets.add(step.name)
    one_of = "one of " if _any(step) and len(targets) > 1 else ""
    return StepWait(
        (f"{_WORDS[condition_of(step)]} {one_of}{', '.join(_with_reason(context, name) for name in targets)}",)
    )


def _with_reason(context: FlowContext, name: str) -> str:
    """A target's name, with the reason why it is blocked."""
    state = context.steps[name]
    return f"{name} ({state.message or state.reason})"[:_LONGEST] if state.reason in reasons.BLOCKED else name


_RULES: Final = {
    DependsCondition.COMPLETED: _completed,
    DependsCondition.FAILED: _failed,
    DependsCondition.ENDED: _ended,
}
