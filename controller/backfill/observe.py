"""Raw backfills, schedules and flows -> due times and progress. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from controller.backfill.progress import BackfillProgress
from controller.schedule.observed import RunState
from shared import ranges
from shared.cron import CronError, Timetable, ZoneError, parse
from shared.model.phases import FlowPhase
from shared.model.schedules.backfill import CronJobFlowBackfill, Reprocess
from shared.model.types import Body
from shared.names import CRON_SCHEDULED, RESOURCE_KINDS
from shared.timestamp import epoch, epoch_or_none

MOST_TIMES: Final = 10_000


class BackfillProblem(ValueError):
    """The backfill cannot run. The message gives the reason."""


def source_of(cron: Body | None, template: Body | None, name: str) -> Body:
    """The copy of the schedule that the backfill uses, so that later edits and deletions do not affect it.

    Raises BackfillProblem.
    """
    if cron is None:
        raise BackfillProblem(f'CronJobFlow "{name}" does not exist')
    reference = cron["spec"].get("template")
    if reference and template is None:
        raise BackfillProblem(f'JobFlowTemplate "{reference.get("name")}" does not exist')
    metadata = {key: cron["metadata"].get(key) for key in ("name", "namespace", "uid", "creationTimestamp")}
    metadata |= _claim(cron)
    kept: Body = {"cron": {"metadata": metadata, "spec": cron["spec"]}}
    return kept | ({"template": {"metadata": _claim(template), "spec": template["spec"]}} if template else {})


def _claim(body: Body) -> Body:
    """The metadata with the object's claim to create kinds."""
    claim = (body["metadata"].get("annotations") or {}).get(RESOURCE_KINDS)
    return {"annotations": {RESOURCE_KINDS: claim}} if claim else {}


def due_times(backfill: CronJobFlowBackfill, source: Body) -> tuple[int, ...]:
    """All due times from spec.from to spec.to, both included, in order. Raises BackfillProblem."""
    spec, cron = backfill.spec, source["cron"]
    try:
        start, end = int(epoch(spec.from_)), int(epoch(spec.to))
        anchor = int(epoch_or_none(cron["metadata"].get("creationTimestamp")) or start)
        schedules = tuple(parse(text) for text in cron["spec"].get("schedules") or ())
        table = Timetable(schedules, cron["spec"].get("timeZone") or "", anchor)
        found = table.count(start - 1, end)
        if found > MOST_TIMES:
            raise BackfillProblem(f"{found} due times from {spec.from_} to {spec.to}; at most {MOST_TIMES} are allowed")
        return tuple(table.between(start - 1, end))
    except (CronError, ZoneError) as error:
        raise BackfillProblem(f'CronJobFlow "{spec.cron_job_flow}": {error}') from error


def progress_of(backfill: CronJobFlowBackfill, total: int) -> BackfillProgress:
    """The recorded progress."""
    status = backfill.status
    return BackfillProgress(
        total=total,
        started=ranges.parse(status.started),
        succeeded=ranges.parse(status.succeeded),
        failed=ranges.parse(status.failed),
        skipped=ranges.parse(status.skipped),
    )


def skipped_at_start(backfill: CronJobFlowBackfill, times: Sequence[int], flows: Iterable[Body]) -> frozenset[int]:
    """The indexes that `reprocess` excludes, determined once when the backfill begins.

    `flows`: all flows of the schedule.
    """
    reprocess = backfill.spec.reprocess or Reprocess.NEVER
    if reprocess is Reprocess.ALL:
        return frozenset()
    states = runs_by_time(flows)
    kept = {due for due, state in states.items() if reprocess is Reprocess.NEVER or state is not RunState.FAILED}
    return frozenset(index for index, due in enumerate(times) if due in kept)


def runs_by_time(flows: Iterable[Body]) -> Mapping[int, RunState]:
    """The state of each due time that has flows: the best of them."""
    best = (RunState.FAILED, RunState.ACTIVE, RunState.SUCCEEDED)
    found: dict[int, RunState] = {}
    for flow in flows:
        noted = epoch_or_none((flow["metadata"].get("annotations") or {}).get(CRON_SCHEDULED))
        if noted is None:
            continue
        due, state = int(noted), run_state(flow)
        if due not in found or best.index(state) > best.index(found[due]):
            found[due] = state
    return found


def run_state(flow: Body) -> RunState:
    """The state of a flow; it is active until its `finally` has ended."""
    status = flow.get("status") or {}
    if not status.get("completionTime"):
        return RunState.ACTIVE
    return RunState.SUCCEEDED if (status.get("state") or {}).get("phase") == FlowPhase.SUCCEED else RunState.FAILED
