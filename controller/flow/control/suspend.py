"""`suspend`: nothing new starts; what runs, runs on (jobflow-api.md 1)."""

from controller.flow.answer import Wait
from controller.flow.turn import Turn
from shared.model.step import Step


def suspended(turn: Turn, step: Step) -> Wait | None:
    """`finally` is exempt."""
    if turn.suspend and step.name not in turn.plan.final_names:
        return Wait(("suspended",))
    return None
