"""The states of a flow's steps, with counts that are updated change by change.

A flow of 1000 steps is looked at hundreds of times. Which steps are open, and whether one has failed, is kept current
here because scanning all steps each time would dominate the cost of a decision.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Self

from controller.jobflow.model.loop_failure import failed_for_good
from shared.model.flow_status import StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Loop

_BROKEN: Final = (StepPhase.FAILED, StepPhase.TERMINATED)


class StepStates:
    """Mutable. `steps`: states by name, in the order of the spec; `open`: steps that have not ended; `failures`: steps
    that have failed the flow, ended or not (a loop fails with its first iteration that is not tolerated); `blocked`:
    steps found waiting for a step that has not started, until it has.

    `followers`: the steps that wait for a step; `fatal`: the steps whose failure fails the flow; `loops`: `for` by step.
    """

    def __init__(
        self,
        steps: dict[str, StepStatus],
        followers: Mapping[str, Sequence[str]],
        fatal: frozenset[str],
        loops: Mapping[str, Loop],
    ) -> None:
        self.steps = steps
        self._followers = followers
        self._fatal = fatal
        self._loops = loops
        self.recount()

    @property
    def halting(self) -> set[str]:
        """Those of the failures that stop other steps: not those that a Retry has left as they were."""
        return {name for name in self.failures if not self.steps[name].disregarded}

    @property
    def halts(self) -> bool:
        """Whether a failure stops other steps."""
        return any(not self.steps[name].disregarded for name in self.failures)

    @property
    def failed(self) -> bool:
        """Whether a step has failed the flow."""
        return bool(self.failures)

    def recount(self) -> None:
        """Derive everything anew, after states were put back."""
        self.open = {name for name, state in self.steps.items() if not state.phase.ended}
        self.failures = {state.name for state in self.steps.values() if self._is_failure(state)}
        self.blocked: set[str] = set()

    def copy(self) -> Self:
        """One that can change without this one."""
        made = object.__new__(type(self))
        made._followers, made._fatal, made._loops = self._followers, self._fatal, self._loops
        made.failures = set(self.failures)
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
        if self._is_failure(state):
            if not self.halts:
                self.blocked.clear()  # what waits may have to end
            self.failures.add(state.name)

    def _is_failure(self, state: StepStatus) -> bool:
        if state.name not in self._fatal:
            return False
        if state.phase.ended:
            return state.phase in _BROKEN
        return state.iterations is not None and failed_for_good(self._loops.get(state.name), state)
