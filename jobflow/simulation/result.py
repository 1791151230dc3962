"""The result of a simulation: phases, order, times, and why steps were skipped."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Final, NamedTuple

import msgspec

from jobflow.simulation.jobs import SimulatedJob
from shared.duration import text

_WIDTH: Final = 48
_BAR: Final = {
    "Completed": "━",
    "Failed": "x",
    "Terminated": "~",
    "Running": "…",
    "Approved": "─",
    "Rejected": "x",
    "Waiting": "┄",
    "Skipped": "┄",
}
_COLOURS: Final = {
    "Completed": "#2e9e5b",
    "Failed": "#d64545",
    "Terminated": "#8a8f98",
    "Approved": "#8fc9a5",
    "Rejected": "#d64545",
    "Waiting": "#c9b458",
}
_MOST_ROWS: Final = 200


class SimulatedStep(msgspec.Struct, frozen=True):
    """`phase`, `reason`, `message`, `attempts`, `outputs`: as in the status of the cluster; `started`, `ended`: of its
    Jobs, or of its wait for a person, in seconds since the flow began, None where it had none; `flows`: those that it ran,
    where their steps are known; `decision`: Approved or Rejected."""

    name: str
    phase: str
    reason: str
    message: str
    attempts: int
    outputs: Mapping[str, str]
    started: float | None
    ended: float | None
    jobs: tuple[SimulatedJob, ...]
    flows: "tuple[SimulatedFlow, ...]" = ()
    decision: str = ""


class SimulatedFlow(msgspec.Struct, frozen=True):
    """`phase`: Succeed, Failed, or where it stays; `outcome`: also Terminated or DeadlineExceeded; `order`: steps in the
    order in which they started; `skipped`: why each skipped step was; `seconds`: from start to end; `outputs`: of the flow;
    `jobs`: its own; `unfinished`: why it would never end, "" if it did; `assumed`: what the scenario left open."""

    name: str
    phase: str
    reason: str
    message: str
    outcome: str
    seconds: float
    steps: Mapping[str, SimulatedStep]
    order: tuple[str, ...]
    jobs: tuple[SimulatedJob, ...]
    outputs: Mapping[str, str] = {}
    unfinished: str = ""
    assumed: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        return self.phase == "Succeed"

    @property
    def skipped(self) -> Mapping[str, str]:
        return {
            step.name: f"{step.reason}: {step.message}" if step.message else step.reason
            for step in self.steps.values()
            if step.phase == "Skipped"
        }

    def phases(self) -> dict[str, str]:
        """The phase of each step."""
        return {name: step.phase for name, step in self.steps.items()}

    def timeline(self) -> str:
        """One line a Job, a wait for a person or a flow below: when it was, and how it ended. Then what was skipped, and how
        the flow ended."""
        bars = list(self._bars())
        width = max((len(name) for name in (*(bar.label for bar in bars), *self.skipped)), default=0)
        lines = [f"{bar.label:<{width}}  {_drawn(bar, self.seconds)}  {_span(bar)}" for bar in bars[:_MOST_ROWS]]
        if len(bars) > _MOST_ROWS:
            lines.append(f"and {len(bars) - _MOST_ROWS} more")
        lines += [f"{name:<{width}}  {'':{_WIDTH}}  Skipped: {why}" for name, why in self.skipped.items()]
        return "\n".join((*lines, self._ending()))

    def __str__(self) -> str:
        return self.timeline()

    def __repr__(self) -> str:
        return f"<SimulatedFlow {self._ending()}>"

    def _repr_html_(self) -> str:
        rows = "".join(_row(bar, self.seconds) for bar in list(self._bars())[:_MOST_ROWS])
        rows += "".join(
            f"<tr><td style='text-align:left'>{escape(name)}</td><td style='text-align:left'>Skipped: {escape(why)}</td></tr>"
            for name, why in self.skipped.items()
        )
        return f"<table style='min-width:36em'>{rows}</table><p>{escape(self._ending())}</p>"

    def _bars(self, prefix: str = "", begun: float = 0.0) -> "Iterator[_Bar]":
        """In the order of their start; those of a flow below come after its own."""
        flows = {flow.name: flow for step in self.steps.values() for flow in step.flows}
        own = [_Bar(_label(job), job.started, job.ended, job.phase, flows.get(job.name)) for job in self.jobs]
        own += [
            _Bar(
                step.name, step.started, step.ended, step.decision or ("Waiting" if step.ended is None else step.phase)
            )
            for step in self.steps.values()
            if not step.jobs and step.started is not None
        ]
        for bar in sorted(own, key=lambda bar: (bar.started, bar.label)):
            ended = None if bar.ended is None else begun + bar.ended
            yield bar._replace(label=f"{prefix}{bar.label}", started=begun + bar.started, ended=ended)
            if bar.below is not None:
                yield from bar.below._bars(f"{prefix}{bar.label}/", begun + bar.started)

    def _ending(self) -> str:
        said = f"{self.name}: {self.phase or 'Pending'} after {text(self.seconds)}"
        why = self.unfinished or (self.message if not self.succeeded else "")
        return f"{said}: {why}" if why else said


class _Bar(NamedTuple):
    """A line of the timeline. `below`: the flow that ran."""

    label: str
    started: float
    ended: float | None
    phase: str
    below: SimulatedFlow | None = None


def _label(job: SimulatedJob) -> str:
    index = "" if job.index is None else f"[{job.index}]"
    attempt = f":{job.attempt}" if job.attempt > 1 else ""
    return f"{job.step}{index}{attempt}"


def _span(bar: _Bar) -> str:
    ended = "" if bar.ended is None else text(bar.ended)
    return f"{text(bar.started)} - {ended} {bar.phase}"


def _drawn(bar: _Bar, whole: float) -> str:
    scale = _WIDTH / whole if whole else 0.0
    start = min(int(bar.started * scale), _WIDTH - 1)
    end = max(start + 1, round((whole if bar.ended is None else bar.ended) * scale))
    return f"{' ' * start}{_BAR.get(bar.phase, '━') * (end - start):<{_WIDTH - start}}"


def _row(bar: _Bar, whole: float) -> str:
    scale = 100 / whole if whole else 0.0
    ended = whole if bar.ended is None else bar.ended
    drawn = (
        f"<div style='margin-left:{bar.started * scale:.2f}%;width:{max((ended - bar.started) * scale, 0.5):.2f}%;"
        f"height:0.9em;border-radius:2px;background:{_COLOURS.get(bar.phase, '#3b7dd8')}' title='{escape(_span(bar))}'></div>"
    )
    return f"<tr><td style='text-align:left'>{escape(bar.label)}</td><td style='width:28em'>{drawn}</td><td>{escape(_span(bar))}</td></tr>"
