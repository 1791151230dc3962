"""A timeline as SVG: a row for each step, a bar for each attempt. Pure."""

from collections.abc import Callable, Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from drawing.layout.model import Point
from drawing.phase_style import SYMBOLS
from drawing.svg.boxes import cut_name
from drawing.timeline.model import AttemptSpans, AttemptStage, Span, Timeline, TimelineRow
from drawing.timeline.ticks import ticks
from shared.duration import lasted
from shared.model.phases import StepPhase

WIDTH: Final = 1000.0
_LABELS: Final = 230.0
_LONGEST: Final = 26  # characters of a name
_RIGHT: Final = 24.0
_TOP: Final = 28.0
_LANE: Final = 14.0
_BAR: Final = 10.0
_PAD: Final = 5.0
_STAGES: Final = {
    AttemptStage.ROOM: "room",
    AttemptStage.STARTING: "starting",
    AttemptStage.NOT_RUNNING: "idle",
    AttemptStage.RUNNING: "running",
}

StepLink = Callable[[str], str]
"""The address of a step, by its name."""


def gantt(view: Timeline, link: StepLink | None = None) -> tuple[Point, Iterator[str]]:
    """The size and the elements."""
    heights = [len(row.lanes) * _LANE + 2 * _PAD for row in view.rows]
    size = (WIDTH, _TOP + sum(heights) + _PAD)
    return size, _elements(view, heights, size[1], link)


def _elements(view: Timeline, heights: list[float], bottom: float, link: StepLink | None) -> Iterator[str]:
    scale = _Scale(view)
    for second in ticks(max(view.end - view.start, 1)):
        x = scale.at(view.start + second)
        yield f'<line class="line" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4:.0f}" y2="{bottom:.1f}"/>'
        yield f'<text class="small" x="{x + 3:.1f}" y="14">+{lasted(second)}</text>'
    y = _TOP
    for row, height in zip(view.rows, heights, strict=True):
        yield from _row(row, y, scale, link(row.step) if link else "")
        y += height
    if view.now is not None:
        x = scale.at(view.now)
        yield f'<line class="now" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 10:.0f}" y2="{bottom:.1f}"><title>now</title></line>'


class _Scale:
    """Seconds since 1970 to pixels."""

    def __init__(self, view: Timeline) -> None:
        self._start = view.start
        self._per_second = (WIDTH - _LABELS - _RIGHT) / max(view.end - view.start, 1)

    def at(self, time: float) -> float:
        return _LABELS + (time - self._start) * self._per_second


def _row(row: TimelineRow, y: float, scale: _Scale, link: str) -> Iterator[str]:
    middle = y + _PAD + len(row.lanes) * _LANE / 2 + 4
    mark = "◆ " if row.critical else ""
    name = f"{SYMBOLS[row.phase]} {mark}{cut_name(row.step, _LONGEST - len(mark))}"
    tip = f"{row.step}: {row.phase}" + (", on the critical path" if row.critical else "")
    label = f'<text x="0" y="{middle:.1f}">{escape(name)}<title>{escape(tip)}</title></text>'
    yield f"<a href={quoteattr(link)}>{label}</a>" if link else label
    for number, lane in enumerate(row.lanes):
        top = y + _PAD + number * _LANE + (_LANE - _BAR) / 2
        for attempt in lane:
            yield from _attempt(attempt, top, scale, row.critical)


def _attempt(attempt: AttemptSpans, top: float, scale: _Scale, critical: bool) -> Iterator[str]:
    result = "" if attempt.phase is StepPhase.PENDING else f" {attempt.phase.lower()}"
    what = f"{attempt.count} Jobs" if attempt.count > 1 else attempt.job or "the step"
    tip = "; ".join(f"{span.stage} {lasted(span.end - span.start)}" for span in attempt.spans)
    yield f'<g class="attempt{" critical" if critical else ""}"><title>{escape(f"{what}: {attempt.phase}; {tip}")}</title>'
    for span in attempt.spans:
        yield _span(span, top, scale, result if span.stage is AttemptStage.RUNNING else "")
    yield "</g>"


def _span(span: Span, top: float, scale: _Scale, result: str) -> str:
    left = scale.at(span.start)
    wide = max(scale.at(span.end) - left, 2.0)
    place = f'x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{_BAR:.0f}" rx="2"'
    return f'<rect class="span {_STAGES[span.stage]}{result}" {place}/>'
