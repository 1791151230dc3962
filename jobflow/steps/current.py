"""The flow of the `with` block around."""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from jobflow.steps.step import FlowStep


class StepOwner(Protocol):
    """A flow, as its steps see it."""

    name: str

    def add_step(self, step: "FlowStep") -> None: ...


CURRENT: Final[ContextVar[StepOwner | None]] = ContextVar("flow", default=None)
