"""The people of a simulation: they answer for steps that wait for approval, as the scenario says."""

import heapq
import math
from collections.abc import Collection
from typing import Final

from controller.jobflow import reasons
from controller.jobflow.model.observed import FlowCommand
from jobflow.simulation.course import SimulatedWait
from jobflow.simulation.scenario import JobScenario
from shared.model.command_message import ApprovalDecision, ApproveMessage, written
from shared.model.flow_status import JobFlowStatus, StepStatus
from shared.model.phases import FlowAction
from shared.timestamp import rfc3339

_WHO: Final = "somebody"
_DECISIONS: Final = {"approved": ApprovalDecision.APPROVED, "rejected": ApprovalDecision.REJECTED}


class SimulatedPeople:
    """Those of one flow. `waits`: by step."""

    def __init__(self, steps: Collection[str], scenario: JobScenario, start: float) -> None:
        self._steps = steps  # those that wait for approval
        self._scenario = scenario
        self._start = start
        self._asked: set[tuple[str, int]] = set()
        self._answers: list[tuple[float, str, int, ApprovalDecision]] = []
        self.waits: dict[str, SimulatedWait] = {}

    def look(self, status: JobFlowStatus, now: float) -> None:
        """Note who is asked, and when they will answer."""
        if not self._steps:
            return
        for state in status.steps:
            if state.name in self._steps:
                self._look_at(state, now)

    def next_answer(self) -> float:
        """Epoch seconds; infinity if none will come."""
        return self._answers[0][0] if self._answers else math.inf

    def due(self, now: float) -> list[FlowCommand]:
        """The answers that are sent now."""
        found = []
        while self._answers and self._answers[0][0] <= now:
            _, step, attempt, decision = heapq.heappop(self._answers)
            message = written(ApproveMessage(step=step, attempt=attempt, decision=decision))
            name = f"answer-{step}-{attempt}"
            found.append(FlowCommand(name, name, FlowAction.APPROVE, rfc3339(now), message=message, approver=_WHO))
        return found

    def _look_at(self, state: StepStatus, now: float) -> None:
        wait = self.waits.get(state.name)
        if state.phase.ended:
            if wait is not None and wait.ended is None:
                wait.ended = now - self._start
        elif state.reason == reasons.WAITING_FOR_APPROVAL and (state.name, state.attempts) not in self._asked:
            self._asked.add((state.name, state.attempts))
            self.waits[state.name] = SimulatedWait(now - self._start)
            decision = _DECISIONS.get(self._scenario.answer(state.name, state.attempts - 1))
            if decision is not None:
                moment = now + self._scenario.duration(state.name, None, state.attempts - 1)
                heapq.heappush(self._answers, (moment, state.name, state.attempts, decision))
