"""What a backfill does now: `decide(seen, now) -> Decision`. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from controller.backfill.children import backfill_flow
from controller.backfill.observe import (
    BackfillProblem,
    due_times,
    progress_of,
    runs_by_time,
    skipped_at_start,
    source_of,
)
from controller.backfill.progress import BackfillProgress, next_indexes, observed
from controller.decision import Child, Create, Decision, Note, Refusal
from controller.schedule.conditions import READY, dated
from controller.schedule.refusals import again_at, fresh_refusals, is_fresh
from shared import ranges
from shared.children.scheduled_flows import params_fault
from shared.codec.api_words import fault_text
from shared.kinds import JOBFLOW
from shared.model.schedules.backfill import BackfillStatus, CronJobFlowBackfill
from shared.model.schedules.common import ActiveReference, Condition
from shared.model.types import Body
from shared.timestamp import rfc3339

COMPLETE: Final = "Complete"
CANNOT_START: Final = "CannotStart"
FAILED_CREATE: Final = "FailedCreate"
_FIRST: Final = 200  # maximum number of flows started in one pass


class BackfillSeen(msgspec.Struct, frozen=True):
    """The input of the decision.

    `cron`, `template`: the stored CronJobFlow and the JobFlowTemplate it names; read only until `status.source` is recorded.
    `flows`: the JobFlows whose controller is this backfill; `others`: all JobFlows of the CronJobFlow.
    """

    body: Body
    cron: Body | None
    template: Body | None
    flows: Sequence[Body]
    others: Sequence[Body]
    refusals: Mapping[Child, Refusal]


def decide(seen: BackfillSeen, now: float) -> Decision:
    """Record the schedule and its times first, then create the flows of the next due times. `now`: epoch seconds."""
    if "deletionTimestamp" in seen.body["metadata"]:
        return Decision()
    try:
        backfill = msgspec.convert(seen.body, CronJobFlowBackfill)
    except msgspec.ValidationError as error:
        return Decision(notes=(Note("InvalidBackfill", fault_text(str(error)), "Warning"),))
    if backfill.status.completion_time:
        return Decision()
    try:
        return _begin(backfill, seen, now) if backfill.status.source is None else _start_next(backfill, seen, now)
    except BackfillProblem as error:
        return _stuck(backfill, str(error), now)


def _begin(backfill: CronJobFlowBackfill, seen: BackfillSeen, now: float) -> Decision:
    """Record the schedule, the number of times and which of them are skipped, before anything is created."""
    source = source_of(seen.cron, seen.template, backfill.spec.cron_job_flow)
    times = due_times(backfill, source)
    if times and (fault := params_fault(source["cron"], source.get("template"), times[0])):
        raise BackfillProblem(f'CronJobFlow "{backfill.spec.cron_job_flow}": {fault}')
    progress = BackfillProgress(len(times), skipped=skipped_at_start(backfill, times, seen.others))
    status = msgspec.structs.replace(_status(backfill, progress, (), now), source=source)
    note = Note("BackfillStarted", f"{len(times)} due times, {len(progress.skipped)} of them skipped")
    return Decision(status=_json(status), notes=(note,), requeue_after=0.01)


def _start_next(backfill: CronJobFlowBackfill, seen: BackfillSeen, now: float) -> Decision:
    source: Body = backfill.status.source or {}
    times = due_times(backfill, source)
    index_of = {due: index for index, due in enumerate(times)}
    runs = {index_of[due]: state for due, state in runs_by_time(seen.flows).items() if due in index_of}
    progress = observed(progress_of(backfill, len(times)), runs)
    fresh = fresh_refusals(JOBFLOW, seen.refusals, now)
    waiting = _refused(seen, source, times, progress, now) if fresh else frozenset[int]()
    starts = next_indexes(progress, backfill.spec.parallelism or 1, waiting)
    creates = tuple(
        Create(JOBFLOW, backfill_flow(seen.body, source, times[index], times[index - 1] if index else None))
        for index in starts
    )
    recorded = msgspec.structs.replace(progress, started=progress.started | frozenset(starts))
    notes = [Note(FAILED_CREATE, each.message, "Warning") for each in fresh]
    if recorded.done:
        notes.append(Note("BackfillCompleted", _words(recorded)))
    return Decision(
        actions=creates,
        status=_json(_status(backfill, recorded, seen.flows, now, [each.message for each in fresh])),
        notes=tuple(notes),
        requeue_after=min((again_at(each) - now for each in fresh), default=None),
    )


def _refused(
    seen: BackfillSeen, source: Body, times: Sequence[int], progress: BackfillProgress, now: float
) -> frozenset[int]:
    """The indexes whose flow was just refused.

    They are among the first that have not started, because flows start in order.
    """
    taken = progress.started | progress.skipped
    first = [index for index in range(progress.total) if index not in taken][:_FIRST]
    names = {str(backfill_flow(seen.body, source, times[index], None)["metadata"]["name"]): index for index in first}
    refused = (name for (_, name), refusal in seen.refusals.items() if is_fresh(refusal, now))
    return frozenset(names[name] for name in refused if name in names)


def _stuck(backfill: CronJobFlowBackfill, problem: str, now: float) -> Decision:
    """Report why nothing can be created. A change of the schedule or the template triggers the next reconcile."""
    status = backfill.status
    conditions = _conditions(backfill, "False", CANNOT_START, problem, now)
    status = msgspec.structs.replace(status, conditions=conditions, observed_generation=backfill.metadata.generation)
    return Decision(
        status=_json(status),
        notes=(Note(CANNOT_START, problem, "Warning"),),
    )


def _status(
    backfill: CronJobFlowBackfill,
    progress: BackfillProgress,
    flows: Sequence[Body],
    now: float,
    refused: Sequence[str] = (),
) -> BackfillStatus:
    active = [flow["metadata"] for flow in flows if not (flow.get("status") or {}).get("completionTime")]
    if progress.done:
        conditions = _conditions(backfill, "True", "Completed", _words(progress), now)
    elif refused:
        conditions = _conditions(backfill, "False", FAILED_CREATE, refused[0], now)
    else:
        conditions = _conditions(backfill, "False", "Running", _words(progress), now)
    return msgspec.structs.replace(
        backfill.status,
        total=progress.total,
        progress=f"{progress.ended}/{progress.total}",
        started=ranges.dump(progress.started),
        succeeded=ranges.dump(progress.succeeded),
        failed=ranges.dump(progress.failed),
        skipped=ranges.dump(progress.skipped),
        active=tuple(
            ActiveReference(
                api_version=JOBFLOW.api_version,
                kind=JOBFLOW.kind,
                namespace=backfill.metadata.namespace,
                name=metadata["name"],
                uid=str(metadata.get("uid", "")),
            )
            for metadata in active
        ),
        completion_time=rfc3339(now) if progress.done else None,
        observed_generation=backfill.metadata.generation,
        conditions=conditions,
    )


def _conditions(
    backfill: CronJobFlowBackfill, status: str, reason: str, message: str, now: float
) -> tuple[Condition, ...]:
    """The conditions Complete and Ready.

    Ready means that the backfill makes progress: GitOps tools wait for Ready and not for the end of all flows.
    """
    ready = Condition(type=READY, status="True", reason="Started", message="")
    if status == "False" and reason in (CANNOT_START, FAILED_CREATE):
        ready = Condition(type=READY, status="False", reason=reason, message=message)
    complete = Condition(type=COMPLETE, status=status, reason=reason, message=message)
    return dated((complete, ready), backfill.status.conditions, backfill.metadata.generation, rfc3339(now))


def _words(progress: BackfillProgress) -> str:
    return (
        f"{len(progress.succeeded)} succeeded, {len(progress.failed)} failed, {len(progress.skipped)} skipped, "
        f"{len(progress.active)} active of {progress.total}"
    )


def _json(status: BackfillStatus) -> Body:
    written: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(status))
    return written
