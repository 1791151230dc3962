"""The list of schedules: CronJobFlows and CronJobs in one table. Pure."""

from collections.abc import Sequence

from controller.schedule.clock import ScheduleClock
from shared.cron import CronError, Timetable, ZoneError, parse
from shared.duration import age
from shared.kinds import CRONJOB
from shared.model.types import Body
from shared.timestamp import epoch_or_none

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def table(bodies: Sequence[Body], now: float, *, namespaced: bool, speed: float = 1.0) -> Table:
    """NEXT is the time until the next run; `-` if there is none. LAST and NEXT are in real time.

    `speed`: of the clock that the schedules follow.
    """
    heads = ("NAME", "KIND", "SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE", "LAST", "NEXT", "READY", "AGE")
    rows = [_row(body, now, speed) for body in bodies]
    if not namespaced:
        return heads, rows
    return ("NAMESPACE", *heads), [
        (str(body["metadata"]["namespace"]), *row) for body, row in zip(bodies, rows, strict=True)
    ]


def _row(body: Body, now: float, speed: float) -> tuple[str, ...]:
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    texts = [str(text) for text in spec.get("schedules") or (spec.get("schedule"),)]
    last = epoch_or_none(status.get("lastScheduleTime"))
    shown = clock_of(body, speed).shown(now)
    return (
        str(metadata["name"]),
        "CronJob" if body["kind"] == CRONJOB.kind else "CronJobFlow",
        ", ".join(texts),
        str(spec.get("timeZone") or "UTC"),
        "true" if spec.get("suspend") else "false",
        str(len(status.get("active") or ())),
        "-" if last is None else age(0, (shown - last) / speed),
        "-" if spec.get("suspend") else _next(texts, body, shown, speed),
        next((str(each.get("status")) for each in status.get("conditions") or () if each.get("type") == "Ready"), "-"),
        age(epoch_or_none(metadata.get("creationTimestamp")), now),
    )


def clock_of(body: Body, speed: float) -> ScheduleClock:
    """The clock that a schedule follows where schedules run `speed` times as fast as real time."""
    return ScheduleClock(epoch_or_none(body["metadata"].get("creationTimestamp")) or 0.0, speed)


def anchor_of(body: Body, now: float) -> float:
    """From when intervals are counted: the last edit of a CronJobFlow, the creation of a CronJob."""
    observed = (body.get("status") or {}).get("observedSchedule") or {}
    since = None if "schedule" in body["spec"] else epoch_or_none(observed.get("since"))
    return since or epoch_or_none(body["metadata"].get("creationTimestamp")) or now


def _next(texts: Sequence[str], body: Body, shown: float, speed: float) -> str:
    """`shown`: the time that the schedule sees."""
    spec = body["spec"]
    try:
        table = Timetable(
            tuple(parse(text) for text in texts), str(spec.get("timeZone") or ""), int(anchor_of(body, shown))
        )
        due = table.next(int(shown))
    except (CronError, ZoneError):
        return "invalid"
    end = epoch_or_none(spec.get("endTime"))
    if not due or (end is not None and due[0] > end):
        return "-"
    return f"in {age(0, (due[0] - shown) / speed)}"
