"""The states of a flow's steps, with counts that are updated change by change.

A flow of 1000 steps is looked at hundreds of times. Which steps are open, and whether one has failed, is kept current
here because scanning all steps each time would dominate the cost of a decision.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Self

from shared.model.flow_status import StepStatus
from shared.model.phases import StepPhase

_BROKEN: Final = (StepPhase.FAILED, StepPhase.TERMINATED)


class StepStates:
    """Mutable. `steps`: states by name, in the order of the spec; `open`: steps that have not ended; `failed`: a step
    has failed the flow; `blocked`: steps found waiting for a step that has not started, until it has.

    `followers`: the steps that wait for a step; `fatal`: the steps whose failure fails the flow.
    """

    def __init__(
        self, steps: dict[str, StepStatus], followers: Mapping[str, Sequence[str]], fatal: frozenset[str]
    ) -> None:
        self.steps = steps
        self._followers = followers
        self._fatal = fatal
        self.recount()

    def recount(self) -> None:
        """Derive everything anew, after states were put back."""
        self.open = {name for name, state in self.steps.items() if not state.phase.ended}
        self.failed = any(self._is_failure(state) for state in self.steps.values())
        self.blocked: set[str] = set()

    def copy(self) -> Self:
        """One that can change without this one."""
        made = object.__new__(type(self))
        made._followers, made._fatal, made.failed = self._followers, self._fatal, self.failed
        made.steps, made.open, made.blocked = dict(self.steps), set(self.open), set(self.blocked)
        return made

    def of(self, states: Iterable[StepStatus]) -> Self:
        """Replace the states with equal ones: shortened for storage, or the objects that were stored."""
        self.steps = {state.name: state for state in states}
        return self

    def put(self, state: StepStatus) -> None:
        """Set the state of a step."""
        before = self.steps[state.name].phase
        self.steps[state.name] = state
        if state.phase is not StepPhase.WAITING:
            self.blocked.discard(state.name)
            if before is StepPhase.WAITING:
                self.blocked.difference_update(self._followers.get(state.name, ()))
        if state.phase.ended:
            self.open.discard(state.name)
            if not self.failed and self._is_failure(state):
                self.failed = True
                self.blocked.clear()  # what waits may have to end

    def _is_failure(self, state: StepStatus) -> bool:
        return state.phase in _BROKEN and state.name in self._fatal
