"""`dependsOn` without probes: what the targets say (jobflow-api.md 3.1)."""

from collections.abc import Sequence
from typing import Final

from controller.jobflow import reasons
from controller.jobflow.decide.context import Turn
from controller.jobflow.decide.plan import condition_of, strategy_of
from controller.jobflow.gate_result import Answer, Wait, skip
from controller.jobflow.steps.outcome import BROKEN, Verdict, upstream, verdicts
from shared.model.phases import DependsCondition, DependsStrategy
from shared.model.step import Step

_LONGEST: Final = 256
_WORDS: Final = {
    DependsCondition.COMPLETED: "waits for",
    DependsCondition.FAILED: "waits for a failure of",
    DependsCondition.ENDED: "waits for the end of",
}


def depends_on(turn: Turn, step: Step) -> Answer | None:
    """The answer of the step's targets; None: go."""
    targets = tuple(dict.fromkeys(step.targets))
    return _RULES[condition_of(step)](turn, step, targets) if targets else None


def _completed(turn: Turn, step: Step, targets: Sequence[str]) -> Answer | None:
    found = verdicts(turn, targets)
    if _any(step) and Verdict.OK in found:
        return None
    if Verdict.OPEN in found:
        return _wait(turn, step, [name for name, one in zip(targets, found, strict=True) if one is Verdict.OPEN])
    return None if Verdict.OK in found and Verdict.BAD not in found else upstream(turn, targets)


def _failed(turn: Turn, step: Step, targets: Sequence[str]) -> Answer | None:
    open_ = _open(turn, targets)
    if any(turn.steps[name].phase in BROKEN for name in targets) and (not open_ or _any(step)):
        return None
    if open_:
        return _wait(turn, step, open_)
    return skip(reasons.NOT_FAILED, f"{', '.join(targets)} did not fail"[:512])


def _ended(turn: Turn, step: Step, targets: Sequence[str]) -> Answer | None:
    open_ = _open(turn, targets)
    if not open_ or (_any(step) and len(open_) < len(targets)):
        return None
    return _wait(turn, step, open_)


def _any(step: Step) -> bool:
    return strategy_of(step) is DependsStrategy.ANY


def _open(turn: Turn, targets: Sequence[str]) -> list[str]:
    return [name for name in targets if not turn.steps[name].phase.ended]


def _wait(turn: Turn, step: Step, targets: Sequence[str]) -> Wait:
    turn.on_targets.add(step.name)
    one_of = "one of " if _any(step) and len(targets) > 1 else ""
    return Wait((f"{_WORDS[condition_of(step)]} {one_of}{', '.join(_told(turn, name) for name in targets)}",))


def _told(turn: Turn, name: str) -> str:
    """A target, with what keeps it from going on."""
    state = turn.steps[name]
    return f"{name} ({state.message or state.reason})"[:_LONGEST] if state.reason in reasons.HINDRANCES else name


_RULES: Final = {
    DependsCondition.COMPLETED: _completed,
    DependsCondition.FAILED: _failed,
    DependsCondition.ENDED: _ended,
}
