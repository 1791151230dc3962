"""A timeline: for each step its attempts, and for each attempt how long it waited, started and ran. Pure."""

from enum import StrEnum

import msgspec

from shared.model.phases import StepPhase


class AttemptStage(StrEnum):
    """What an attempt does; the value is what the legend says. NOT_RUNNING: its pods are not known."""

    ROOM = "waiting for room"
    STARTING = "starting"
    NOT_RUNNING = "not running yet"
    RUNNING = "running"


class Span(msgspec.Struct, frozen=True):
    """Seconds since 1970. A span that has not ended yet ends at `now`."""

    stage: AttemptStage
    start: float
    end: float


class AttemptSpans(msgspec.Struct, frozen=True):
    """`phase`: how it ended, or Running, or Pending; `count`: Jobs that one bar stands for."""

    job: str
    phase: StepPhase
    spans: tuple[Span, ...]
    count: int = 1

    @property
    def start(self) -> float:
        return self.spans[0].start

    @property
    def end(self) -> float:
        return self.spans[-1].end


class TimelineRow(msgspec.Struct, frozen=True):
    """A step. `lanes`: attempts below each other where they overlap; `critical`: the flow would have ended earlier, had
    the step been faster."""

    step: str
    phase: StepPhase
    lanes: tuple[tuple[AttemptSpans, ...], ...]
    critical: bool = False


class Timeline(msgspec.Struct, frozen=True):
    """`rows`: steps that have started, in the order of their start; `now`: None once the flow is over; `hidden`: rows
    left out."""

    start: float
    end: float
    rows: tuple[TimelineRow, ...]
    now: float | None = None
    hidden: int = 0
