"""A step's page: its attempts and iterations, failed ones first. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from drawing.flow_view import FlowView, StepView
from shared import ranges
from shared.model.types import Body
from shared.names import CREATED_BY_FLOW
from web.views.job_page import JobRow, job_row

MOST: Final = 200
"""Jobs that the page lists."""
_OUTPUTS: Final = 50


class IterationsSeen(msgspec.Struct, frozen=True):
    """Progress of a loop: counts, and indexes as the status has them: `0-57,60`."""

    total: int | None
    completed: int
    failed: int
    running: int
    failed_indexes: str
    running_indexes: str
    skipped_indexes: str
    outputs: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


class StepPage(msgspec.Struct, frozen=True):
    """`jobs`: those that exist and pass the filter, at most MOST; `found`: how many pass it; `gone`: names of Jobs that
    the status still knows; `last`: how the last attempt ended, in words."""

    step: StepView
    jobs: tuple[JobRow, ...]
    found: int
    gone: tuple[str, ...]
    last: str
    exit_code: int | None
    iterations: IterationsSeen | None
    can_retry: bool


def find_step(view: FlowView, name: str) -> StepView | None:
    return next((step for step in view.steps if step.name == name), None)


def step_page(step: StepView, flow: Body, jobs: Iterable[Body], *, phase: str = "", text: str = "") -> StepPage:
    """`jobs`: raw Jobs that may be of the step; `phase`, `text`: only Jobs of that phase, and whose name contains it."""
    status: Body = _status(flow, step.name)
    rows = [job_row(job) for job in jobs if _of_flow(job, flow)]
    shown = [row for row in rows if (not phase or row.phase == phase) and text in row.name]
    shown.sort(key=lambda row: (not row.failed, -(row.created or 0.0), row.name))
    known = {row.name for row in rows}
    last = status.get("lastAttempt") or {}
    return StepPage(
        step=step,
        jobs=tuple(shown[:MOST]),
        found=len(shown),
        gone=tuple(str(name) for name in status.get("jobs") or () if name not in known),
        last=": ".join(str(each) for each in (last.get("phase"), last.get("reason"), last.get("message")) if each),
        exit_code=status.get("exitCode"),
        iterations=_iterations(status.get("iterations")),
        can_retry=step.phase in ("Failed", "Terminated", "Completed", "Skipped"),
    )


def latest(rows: Sequence[JobRow]) -> JobRow | None:
    """The Job that a page shows unasked: one that failed, else the newest."""
    return rows[0] if rows else None


def _status(flow: Body, name: str) -> Body:
    steps = (flow.get("status") or {}).get("steps") or ()
    found: Body = next((each for each in steps if each.get("name") == name), {})
    return found


def _of_flow(job: Body, flow: Body) -> bool:
    """Jobs of another flow with a step of that name have the same label."""
    owners = job["metadata"].get("ownerReferences") or ()
    if any(owner.get("uid") == flow["metadata"].get("uid") for owner in owners):
        return True
    origin = (job["metadata"].get("annotations") or {}).get(CREATED_BY_FLOW, "")
    return bool(not owners and origin.endswith(f".{flow['metadata']['name']}"))


def _iterations(found: Body | None) -> IterationsSeen | None:
    if not found:
        return None
    failed, completed = str(found.get("failedIndexes") or ""), str(found.get("completedIndexes") or "")
    outputs = sorted((found.get("outputs") or {}).items(), key=lambda each: int(each[0]))[:_OUTPUTS]
    return IterationsSeen(
        total=found.get("total"),
        completed=ranges.count(completed),
        failed=ranges.count(failed),
        running=int(found.get("running") or 0),
        failed_indexes=failed,
        running_indexes=str(found.get("runningIndexes") or ""),
        skipped_indexes=str(found.get("skippedIndexes") or ""),
        outputs=tuple((index, tuple(sorted(values.items()))) for index, values in outputs),
    )
