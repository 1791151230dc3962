"""What a simulation found: phases, order, times, what was skipped and why."""

from collections.abc import Mapping
from html import escape
from typing import Final

import msgspec

from jobflow.simulation.jobs import SimulatedJob
from shared.duration import text

_WIDTH: Final = 48
_BAR: Final = {"Completed": "━", "Failed": "x", "Terminated": "~", "Running": "…"}
_COLOURS: Final = {"Completed": "#2e9e5b", "Failed": "#d64545", "Terminated": "#8a8f98"}
_MOST_ROWS: Final = 200


class SimulatedStep(msgspec.Struct, frozen=True):
    """`phase`, `reason`, `message`, `attempts`, `outputs`: as in the status of the cluster; `started`, `ended`: of its
    Jobs, in seconds since the flow began, None where it had none."""

    name: str
    phase: str
    reason: str
    message: str
    attempts: int
    outputs: Mapping[str, str]
    started: float | None
    ended: float | None
    jobs: tuple[SimulatedJob, ...]


class SimulatedFlow(msgspec.Struct, frozen=True):
    """`phase`: Succeed, Failed, or where it stays; `outcome`: also Terminated or DeadlineExceeded; `order`: steps in the
    order in which they started; `skipped`: why each skipped step was; `seconds`: from start to end; `unfinished`: why it
    would never end, "" if it did; `assumed`: what the scenario left open."""

    name: str
    phase: str
    reason: str
    message: str
    outcome: str
    seconds: float
    steps: Mapping[str, SimulatedStep]
    order: tuple[str, ...]
    jobs: tuple[SimulatedJob, ...]
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
        """One line a Job: when it ran, and how it ended. Then what was skipped, and how the flow ended."""
        listed = sorted(self.jobs, key=lambda job: (job.started, job.name))
        names = [_label(job) for job in listed]
        width = max((len(name) for name in (*names, *self.skipped)), default=0)
        lines = [
            f"{name:<{width}}  {_bar(job, self.seconds)}  {_span(job)}" for name, job in zip(names, listed, strict=True)
        ]
        lines = [
            *lines[:_MOST_ROWS],
            *([f"and {len(lines) - _MOST_ROWS} more Jobs"] if len(lines) > _MOST_ROWS else []),
        ]
        lines += [f"{name:<{width}}  {'':{_WIDTH}}  Skipped: {why}" for name, why in self.skipped.items()]
        return "\n".join((*lines, self._ending()))

    def __str__(self) -> str:
        return self.timeline()

    def __repr__(self) -> str:
        return f"<SimulatedFlow {self._ending()}>"

    def _repr_html_(self) -> str:
        listed = sorted(self.jobs, key=lambda job: (job.started, job.name))[:_MOST_ROWS]
        rows = "".join(_row(job, self.seconds) for job in listed)
        rows += "".join(
            f"<tr><td style='text-align:left'>{escape(name)}</td><td style='text-align:left'>Skipped: {escape(why)}</td></tr>"
            for name, why in self.skipped.items()
        )
        return f"<table style='min-width:36em'>{rows}</table><p>{escape(self._ending())}</p>"

    def _ending(self) -> str:
        said = f"{self.name}: {self.phase or 'Pending'} after {text(self.seconds)}"
        why = self.unfinished or (self.message if not self.succeeded else "")
        return f"{said}: {why}" if why else said


def _label(job: SimulatedJob) -> str:
    index = "" if job.index is None else f"[{job.index}]"
    attempt = f":{job.attempt}" if job.attempt > 1 else ""
    return f"{job.step}{index}{attempt}"


def _span(job: SimulatedJob) -> str:
    ended = "" if job.ended is None else text(job.ended)
    return f"{text(job.started)} - {ended} {job.phase}"


def _bar(job: SimulatedJob, whole: float) -> str:
    scale = _WIDTH / whole if whole else 0.0
    start = min(int(job.started * scale), _WIDTH - 1)
    end = max(start + 1, round((whole if job.ended is None else job.ended) * scale))
    return f"{' ' * start}{_BAR.get(job.phase, '━') * (end - start):<{_WIDTH - start}}"


def _row(job: SimulatedJob, whole: float) -> str:
    scale = 100 / whole if whole else 0.0
    ended = whole if job.ended is None else job.ended
    bar = (
        f"<div style='margin-left:{job.started * scale:.2f}%;width:{max((ended - job.started) * scale, 0.5):.2f}%;"
        f"height:0.9em;border-radius:2px;background:{_COLOURS.get(job.phase, '#3b7dd8')}' title='{escape(_span(job))}'></div>"
    )
    return f"<tr><td style='text-align:left'>{escape(_label(job))}</td><td style='width:28em'>{bar}</td><td>{escape(_span(job))}</td></tr>"
