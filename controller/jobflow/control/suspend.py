"""`suspend`: nothing new starts; what runs, runs on (jobflow-api.md 1)."""

from controller.jobflow.decide.context import Turn
from controller.jobflow.gate_result import Wait
from shared.model.step import Step


def suspended(turn: Turn, step: Step) -> Wait | None:
    """`finally` is exempt."""
    if turn.suspend and step.name not in turn.plan.final_names:
        return Wait(("suspended",))
    return None
