"""Rules of CronJobFlowBackfill: its range, the number of its times, and its immutable spec."""

from collections.abc import Iterator
from typing import Final

from shared import kinds
from shared.cron import CronError, Timetable, ZoneError, parse
from shared.timestamp import epoch_or_none, is_date_time
from shared.violation import Reason, Violation
from webhook.rules.cron.schedules import names_too_long
from webhook.subject.cron_subjects import BackfillSubject
from webhook.subject.subjects import body_or_empty

MOST_TIMES: Final = 10_000


def backfill_range_is_a_range(backfill: BackfillSubject) -> Iterator[Violation]:
    start, end = backfill.bounds
    for path, text in (("from", backfill.spec.from_), ("to", backfill.spec.to)):
        if not is_date_time(text):
            yield Violation(f"spec.{path}", 'must be an RFC 3339 time such as "2026-01-01T00:00:00Z"', text)
    if start is not None and end is not None and start > end:
        yield Violation("spec.to", f"must not be before spec.from ({backfill.spec.from_})", backfill.spec.to)


def backfill_times_are_not_too_many(backfill: BackfillSubject) -> Iterator[Violation]:
    """Validated only if the CronJobFlow exists; otherwise the controller does it."""
    start, end = backfill.bounds
    cron = backfill.lookups.get(kinds.CRONJOBFLOW, backfill.namespace, backfill.spec.cron_job_flow)
    if cron is None or start is None or end is None or start > end:
        return
    spec = body_or_empty(cron.get("spec"))
    try:
        schedules = tuple(parse(str(text)) for text in spec.get("schedules") or ())
        created = epoch_or_none(cron["metadata"].get("creationTimestamp"))
        table = Timetable(schedules, str(spec.get("timeZone") or ""), int(created or start))
        found = _count(table, int(start) - 1, int(end))
    except (CronError, ZoneError):
        return
    if found > MOST_TIMES:
        yield Violation(
            "spec.to", f"more than {MOST_TIMES} due times after spec.from", backfill.spec.to, Reason.TOO_MANY
        )


def _count(table: Timetable, start: int, end: int) -> int:
    """The number of due times, counted up to MOST_TIMES + 1."""
    return sum(1 for _ in zip(table.between(start, end), range(MOST_TIMES + 1), strict=False))


def names_of_backfilled_flows_fit(backfill: BackfillSubject) -> Iterator[Violation]:
    if backfill.creating:
        yield from names_too_long(backfill.name, backfill.flow)


def backfill_spec_is_immutable(backfill: BackfillSubject) -> Iterator[Violation]:
    if backfill.old_spec is not None and backfill.old_spec != backfill.spec:
        yield Violation("spec", "may not be changed; create another backfill", None, Reason.FORBIDDEN)


def schedule_of_backfill_not_found(backfill: BackfillSubject) -> Iterator[str]:
    name = backfill.spec.cron_job_flow
    if backfill.lookups.complete and backfill.lookups.get(kinds.CRONJOBFLOW, backfill.namespace, name) is None:
        yield f'CronJobFlow "{name}" does not exist yet; the backfill starts when it is created'
