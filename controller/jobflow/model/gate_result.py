"""The result of a control primitive for a step that has not started: nothing (None: no objection), or one of these."""

import msgspec

from shared.model.phases import StepPhase


class StepWait(msgspec.Struct, frozen=True):
    """Not yet. `words`: what for, as people read it in `next`; `reason`, `message`: shown on the step."""

    waiting_for: tuple[str, ...]
    reason: str = ""
    message: str = ""


class StepEnd(msgspec.Struct, frozen=True):
    """It ends here without a Job. `chosen`: the steps that a switch chose."""

    phase: StepPhase
    reason: str
    message: str = ""
    chosen: tuple[str, ...] | None = None


GateResult = StepWait | StepEnd


def skip(reason: str, message: str = "") -> StepEnd:
    return StepEnd(StepPhase.SKIPPED, reason, message)


def fail(reason: str, message: str) -> StepEnd:
    return StepEnd(StepPhase.FAILED, reason, message)
