"""What an ended step is to those after it (jobflow-api.md 3.1)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from controller.jobflow import reasons
from controller.jobflow.decide.context import Turn
from controller.jobflow.gate_result import End, skip
from shared.model.flow_status import StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Step


class Verdict(StrEnum):
    """What has become of a target."""

    OPEN = "open"
    OK = "ok"
    BAD = "bad"
    SKIP = "skip"


BROKEN: Final = (StepPhase.FAILED, StepPhase.TERMINATED)


def verdict(step: Step, state: StepStatus) -> Verdict:
    """What a target is to those after it. A daemon that runs is ok: it serves."""
    if state.phase is StepPhase.COMPLETED:
        return Verdict.OK
    if state.phase in BROKEN:
        return Verdict.OK if step.allow_failure else Verdict.BAD
    if state.phase is StepPhase.SKIPPED:
        return Verdict.BAD if state.reason in reasons.BAD_SKIPS else Verdict.SKIP
    return Verdict.OK if step.daemon and state.phase is StepPhase.RUNNING else Verdict.OPEN


def verdicts(turn: Turn, names: Sequence[str]) -> list[Verdict]:
    """One for each target."""
    return [verdict(turn.plan.steps[name], turn.steps[name]) for name in names]


def upstream(turn: Turn, targets: Sequence[str]) -> End:
    """The skip of a step whose targets, all ended, do not let it run: UpstreamFailed if any is bad."""
    bad = [name for name, found in zip(targets, verdicts(turn, targets), strict=True) if found is Verdict.BAD]
    if bad:
        phases = " and ".join(sorted({str(turn.steps[name].phase) for name in bad}))
        return skip(reasons.UPSTREAM_FAILED, f"{', '.join(bad)} ended {phases}"[:512])
    said = f"{', '.join(targets)} {'was' if len(targets) == 1 else 'were'} skipped"
    return skip(reasons.UPSTREAM_SKIPPED, said[:512])
