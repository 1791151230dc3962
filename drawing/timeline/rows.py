"""A timeline from a flow, its status and its pods. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from drawing.flow_view import FlowView, StepView
from drawing.groups import URGENCY
from drawing.timeline.attempts import attempts
from drawing.timeline.model import AttemptSpans, AttemptStage, Span, Timeline, TimelineRow
from shared.model.phases import StepPhase
from shared.model.types import Body

MOST: Final = 300  # rows
_IDLE: Final = (StepPhase.WAITING, StepPhase.PENDING, StepPhase.RETRYING, StepPhase.SUSPENDED)
_LANES: Final = 6  # of one row; more parallel Jobs become one bar


def timeline(flow: FlowView, body: Body, pods: Iterable[Body], now: float) -> Timeline:
    """`now`: seconds since 1970. Of more than 300 steps: the critical path, what failed, what runs, then the longest."""
    found = attempts(body, pods, now)
    critical = set(critical_path(flow, now))
    rows = [
        TimelineRow(
            step.name, step.phase, _lanes(found.get(step.name) or list(_alone(step, now))), step.name in critical
        )
        for step in flow.steps
    ]
    started = [row for row in rows if row.lanes]
    shown = sorted(sorted(started, key=_importance)[:MOST], key=_start)
    start = min([_start(row) for row in started], default=flow.started or now)
    end = max([_end(row) for row in started], default=now)
    return Timeline(
        start=min(start, flow.started or start),
        end=end if flow.over else max(end, now),
        rows=tuple(shown),
        now=None if flow.over else now,
        hidden=len(started) - len(shown),
    )


def critical_path(flow: FlowView, now: float) -> Iterator[str]:
    """Backwards from the step that ended last (or still runs): of those it waited for the one that ended last."""
    steps = {step.name: step for step in flow.steps if step.started is not None}
    step = max(steps.values(), key=lambda each: _ended(each, now), default=None)
    if step is not None and step.final:
        yield step.name
        step = max(
            (each for each in steps.values() if not each.final), key=lambda each: _ended(each, now), default=None
        )
    seen: set[str] = set()
    while step is not None and step.name not in seen:
        seen.add(step.name)
        yield step.name
        before = (steps[name] for name in step.targets if name in steps)
        step = max(before, key=lambda each: _ended(each, now), default=None)


def _ended(step: StepView, now: float) -> float:
    return step.ended if step.ended is not None else now


def _alone(step: StepView, now: float) -> Iterator[AttemptSpans]:
    """A step whose Jobs the status does not list."""
    if step.started is not None and step.kind != "switch":
        stage = AttemptStage.NOT_RUNNING if step.phase in _IDLE else AttemptStage.RUNNING
        yield AttemptSpans("", step.phase, (Span(stage, step.started, max(_ended(step, now), step.started)),))


def _lanes(found: Sequence[AttemptSpans]) -> tuple[tuple[AttemptSpans, ...], ...]:
    """Each attempt in the first lane that is free at its start."""
    lanes: list[list[AttemptSpans]] = []
    for attempt in found:
        free = next((lane for lane in lanes if lane[-1].end <= attempt.start), None)
        if free is not None:
            free.append(attempt)
        else:
            lanes.append([attempt])
    if len(lanes) > _LANES:
        return ((_merged(found),),)
    return tuple(tuple(lane) for lane in lanes)


def _merged(found: Sequence[AttemptSpans]) -> AttemptSpans:
    start, end = min(each.start for each in found), max(each.end for each in found)
    running = min(
        [span.start for each in found for span in each.spans if span.stage is AttemptStage.RUNNING], default=end
    )
    early = [Span(AttemptStage.NOT_RUNNING, start, running)] if running > start else []
    late = [Span(AttemptStage.RUNNING, running, end)] if end > running or not early else []
    phase = min((each.phase for each in found), key=URGENCY.index)
    return AttemptSpans("", phase, (*early, *late), len(found))


def _importance(row: TimelineRow) -> tuple[bool, int, float]:
    return not row.critical, URGENCY.index(row.phase), _start(row) - _end(row)


def _start(row: TimelineRow) -> float:
    return min(lane[0].start for lane in row.lanes)


def _end(row: TimelineRow) -> float:
    return max(attempt.end for lane in row.lanes for attempt in lane)
