"""Schedules: next times, and the results of earlier runs. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec

from shared.cron import CronError, Timetable, ZoneError, parse
from shared.kinds import CRONJOB, CRONJOBFLOW
from shared.model.types import Body
from shared.names import CRON_SCHEDULED, CRONJOB_SCHEDULED
from shared.timestamp import epoch_or_none

_DAY: Final = 86_400
_WEEKS_BACK: Final = 2
_WEEKS: Final = 6
_MOST_OF_A_DAY: Final = 48
NEXT: Final = 10


class ScheduleRow(msgspec.Struct, frozen=True):
    """A CronJobFlow or CronJob. `next`: due times; `fault`: why it does not run: an expression that cannot be read, or
    its Ready condition."""

    plural: str
    namespace: str
    name: str
    schedules: tuple[str, ...]
    time_zone: str
    suspended: bool
    active: tuple[str, ...]
    last: float | None
    last_success: float | None
    next: tuple[float, ...]
    missed: int
    fault: str
    created: float | None


class PastRun(msgspec.Struct, frozen=True):
    """A flow or Job that a schedule has made; `due`: the time that it was made for."""

    name: str
    phase: str
    due: float | None
    started: float | None
    ended: float | None


class CalendarDay(msgspec.Struct, frozen=True):
    """`runs`: of this day; `due`: times that are still to come, at most 48; `today`."""

    day: str
    number: int
    runs: tuple[PastRun, ...]
    due: tuple[float, ...]
    today: bool


def schedule_row(body: Body, plural: str, now: float) -> ScheduleRow:
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    texts = tuple(str(text) for text in spec.get("schedules") or (spec.get("schedule") or "",))
    due, fault = _due(body, texts, now)
    return ScheduleRow(
        plural=plural,
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata["name"]),
        schedules=texts,
        time_zone=str(spec.get("timeZone") or "UTC"),
        suspended=bool(spec.get("suspend")),
        active=tuple(str(each.get("name")) for each in status.get("active") or ()),
        last=epoch_or_none(status.get("lastScheduleTime")),
        last_success=epoch_or_none(status.get("lastSuccessfulTime")),
        next=() if spec.get("suspend") else due,
        missed=int(status.get("missedTotal") or 0),
        fault=fault or _not_ready(status),
        created=epoch_or_none(metadata.get("creationTimestamp")),
    )


def schedule_rows(flows: Iterable[Body], jobs: Iterable[Body], now: float) -> tuple[ScheduleRow, ...]:
    """The next one to run first, then those that do not run."""
    rows = [schedule_row(body, CRONJOBFLOW.plural, now) for body in flows]
    rows += [schedule_row(body, CRONJOB.plural, now) for body in jobs]
    return tuple(sorted(rows, key=lambda row: (not row.next, row.next[:1], row.namespace, row.name)))


def past_run(body: Body) -> PastRun:
    """Of a JobFlow or a Job."""
    metadata, status = body["metadata"], body.get("status") or {}
    notes = metadata.get("annotations") or {}
    return PastRun(
        name=str(metadata["name"]),
        phase=str((status.get("state") or {}).get("phase") or "Pending"),
        due=epoch_or_none(notes.get(CRON_SCHEDULED) or notes.get(CRONJOB_SCHEDULED))
        or epoch_or_none(metadata.get("creationTimestamp")),
        started=epoch_or_none(status.get("startTime")) or epoch_or_none(metadata.get("creationTimestamp")),
        ended=epoch_or_none(status.get("completionTime")),
    )


def calendar(body: Body, runs: Sequence[PastRun], now: float) -> tuple[tuple[CalendarDay, ...], ...]:
    """Weeks from Monday to Sunday, in UTC: two that have passed, this one and three to come."""
    today = datetime.fromtimestamp(now, UTC).date()
    first = today - timedelta(days=today.weekday() + 7 * _WEEKS_BACK)
    spec = body.get("spec") or {}
    texts = tuple(str(text) for text in spec.get("schedules") or (spec.get("schedule") or "",))
    end = _start(first) + 7 * _WEEKS * _DAY
    due = () if spec.get("suspend") else _due(body, texts, now, until=end)[0]
    return tuple(
        tuple(_day(first + timedelta(days=7 * week + number), runs, due, today) for number in range(7))
        for week in range(_WEEKS)
    )


def _day(day: date, runs: Sequence[PastRun], due: Sequence[float], today: date) -> CalendarDay:
    start = _start(day)
    return CalendarDay(
        day.isoformat(),
        day.day,
        tuple(run for run in runs if run.due is not None and start <= run.due < start + _DAY),
        tuple(each for each in due if start <= each < start + _DAY)[:_MOST_OF_A_DAY],
        day == today,
    )


def _start(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _due(body: Body, texts: Sequence[str], now: float, until: float | None = None) -> tuple[tuple[float, ...], str]:
    """Due times and '', or why there are none. Up to `until`: as many as a calendar shows, else the next NEXT."""
    spec = body.get("spec") or {}
    anchor = int(epoch_or_none(body["metadata"].get("creationTimestamp")) or now)
    last = epoch_or_none(spec.get("endTime")) or float("inf")
    try:
        table = Timetable(tuple(parse(text) for text in texts), str(spec.get("timeZone") or ""), anchor)
        if until is None:
            found = table.next(int(now), NEXT)
        else:
            found = []
            for each in table.between(int(now), int(min(until, last))):
                found.append(each)
                if len(found) >= _MOST_OF_A_DAY * 7 * _WEEKS:
                    break
    except (CronError, ZoneError) as error:
        return (), str(error)
    return tuple(float(each) for each in found if each <= last), ""


def _not_ready(status: Body) -> str:
    for each in status.get("conditions") or ():
        if each.get("type") == "Ready" and each.get("status") == "False":
            return str(each.get("message") or each.get("reason") or "not ready")
    return ""
