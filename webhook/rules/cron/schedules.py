"""Schedules, time zones and names, for every kind that has a schedule."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from shared.cron import CronError, Timetable, ZoneError, parse, zone
from shared.names import MAX_CRON_NAME
from shared.violation import Reason, Violation
from webhook.hints.names import qualified_fault
from webhook.rules.flow.names import job_names_fit, pod_names_fit
from webhook.subject.subjects import FlowSubject

FORECAST: Final = 3


def schedule_faults(schedules: Sequence[tuple[str, str]]) -> Iterator[Violation]:
    """Faults of cron expressions. `schedules`: path and expression of each."""
    for path, text in schedules:
        try:
            parse(text)
        except CronError as error:
            yield Violation(path, str(error), text)


def zone_faults(path: str, name: str | None) -> Iterator[Violation]:
    """Faults of a time zone; it may be absent but not empty."""
    if name is None:
        return
    if not name:
        yield Violation(path, 'must be an IANA time zone name such as "Europe/Berlin", or absent for UTC', name)
        return
    try:
        zone(name)
    except ZoneError as error:
        yield Violation(path, str(error), name)


def name_faults(name: str) -> Iterator[Violation]:
    """Faults of the name. Children are named NAME-MINUTES, with up to ten digits."""
    if len(name) > MAX_CRON_NAME:
        yield Violation(
            "metadata.name",
            f"must be no more than {MAX_CRON_NAME} characters: Jobs are named {name[:12]}...-MINUTES, at most 63",
            name,
            Reason.INVALID,
        )
    elif fault := qualified_fault(name):
        yield Violation("metadata.name", f"the name of a Job is used as a label of its pods: {fault}", name)


def names_too_long(name: str, flow: FlowSubject | None) -> Iterator[Violation]:
    """`name`: of the object that creates `flow`, whose Jobs and pods would get names that Kubernetes refuses."""
    faults = () if flow is None else (*job_names_fit(flow), *pod_names_fit(flow))
    for fault in faults[:1]:
        message = f"too long for step {fault.value} of its flows: {fault.message}"
        yield Violation("metadata.name", message, name)


def forecast(schedules: Sequence[str], time_zone: str, now: float, end: float | None = None) -> Iterator[str]:
    """The next due times in words; nothing if the schedule has faults. `now`, `end`: epoch seconds; none is due later."""
    try:
        place = zone(time_zone)
        table = Timetable(tuple(parse(text) for text in schedules), time_zone, int(now))
    except (CronError, ZoneError):
        return
    due = [each for each in table.next(int(now), FORECAST) if end is None or each <= end]
    times = ", ".join(datetime.fromtimestamp(each, place).strftime("%a %Y-%m-%d %H:%M") for each in due)
    none = "no run is due in the next twelve years" if end is None else "no run is due before spec.endTime"
    yield f"next runs ({time_zone or 'UTC'}): {times}" if times else none
