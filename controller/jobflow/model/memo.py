"""Results that one decision passes to the next: compiled expressions, values of `if`, items of loops, step states.

All of it can be computed again from the spec and the status, so losing it costs time and nothing else. The reconciler
owns it: a decision reads the memo it is given and returns a new one. It never changes its argument.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from controller.jobflow.model.step_states import StepStates
from shared.expressions import Problem, Program
from shared.graphs.flow_graph import ExpressionPlace
from shared.model.flow_status import StepStatus
from shared.model.meta import ObjectMeta
from shared.model.step import Item

Programs = Mapping[tuple[str, ExpressionPlace, str], Program | tuple[Problem, ...]]
LoopItems = Mapping[tuple[str, str], tuple[Item, ...]]


class KnownCondition(msgspec.Struct, frozen=True):
    """The value that an `if` had, and what it was read from."""

    value: bool
    outcome: str
    states: dict[str, StepStatus]
    metadata: ObjectMeta

    def holds_for(self, states: Mapping[str, StepStatus], metadata: ObjectMeta) -> bool:
        """Whether an evaluation now would read exactly the same values."""
        same = (metadata.labels, metadata.annotations) == (self.metadata.labels, self.metadata.annotations)
        return same and all(states.get(name) is state for name, state in self.states.items())


class DecisionMemo(msgspec.Struct, frozen=True):
    """`programs`: compiled expressions by step, place and text; `conditions`: the last value of each step's `if`;
    `items`: of loops, by step and hash; `step_states`: what follows from the states `steps`, counted once."""

    programs: Programs = {}
    conditions: Mapping[str, KnownCondition] = {}
    items: LoopItems = {}
    steps: tuple[StepStatus, ...] = ()
    step_states: StepStates | None = None

    def step_states_of(self, steps: tuple[StepStatus, ...]) -> StepStates | None:
        """A copy of the remembered step states if they belong to these very status entries."""
        return self.step_states.copy() if steps and steps is self.steps and self.step_states else None


NO_MEMO: Final = DecisionMemo()
