"""The list of schedules: CronJobFlows and CronJobs in one table. Pure."""

from collections.abc import Sequence

from shared.cron import CronError, Timetable, ZoneError, parse
from shared.duration import age
from shared.kinds import CRONJOB
from shared.model.types import Body
from shared.timestamp import epoch_or_none

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def table(bodies: Sequence[Body], now: float, *, namespaced: bool) -> Table:
    """NEXT is the time until the next run; `-` if there is none."""
    heads = ("NAME", "KIND", "SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE", "LAST", "NEXT", "READY", "AGE")
    rows = [_row(body, now) for body in bodies]
    if not namespaced:
        return heads, rows
    return ("NAMESPACE", *heads), [
        (str(body["metadata"]["namespace"]), *row) for body, row in zip(bodies, rows, strict=True)
    ]


def _row(body: Body, now: float) -> tuple[str, ...]:
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    texts = [str(text) for text in spec.get("schedules") or (spec.get("schedule"),)]
    last = epoch_or_none(status.get("lastScheduleTime"))
    return (
        str(metadata["name"]),
        "CronJob" if body["kind"] == CRONJOB.kind else "CronJobFlow",
        ", ".join(texts),
        str(spec.get("timeZone") or "UTC"),
        "yes" if spec.get("suspend") else "no",
        str(len(status.get("active") or ())),
        "-" if last is None else age(last, now),
        "-" if spec.get("suspend") else _next(texts, str(spec.get("timeZone") or ""), metadata, now),
        next((str(each.get("status")) for each in status.get("conditions") or () if each.get("type") == "Ready"), "-"),
        age(epoch_or_none(metadata.get("creationTimestamp")), now),
    )


def _next(texts: Sequence[str], time_zone: str, metadata: Body, now: float) -> str:
    anchor = int(epoch_or_none(metadata.get("creationTimestamp")) or now)
    try:
        due = Timetable(tuple(parse(text) for text in texts), time_zone, anchor).next(int(now))
    except (CronError, ZoneError):
        return "invalid"
    return f"in {age(now, due[0])}" if due else "-"
