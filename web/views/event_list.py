"""Events of an object, newest first. Pure."""

from collections.abc import Iterable

import msgspec

from shared.model.types import Body
from shared.timestamp import epoch_or_none


class EventRow(msgspec.Struct, frozen=True):
    """`last`: seconds since 1970; `subject`: the object that it is about."""

    last: float | None
    type: str
    reason: str
    message: str
    count: int
    subject: str
    source: str


def event_rows(events: Iterable[Body]) -> tuple[EventRow, ...]:
    return tuple(sorted(map(_row, events), key=lambda row: row.last or 0.0, reverse=True))


def _row(event: Body) -> EventRow:
    subject = event.get("involvedObject") or {}
    series = event.get("series") or {}
    last = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return EventRow(
        last=epoch_or_none(last),
        type=str(event.get("type") or "Normal"),
        reason=str(event.get("reason") or ""),
        message=str(event.get("message") or ""),
        count=int(series.get("count") or event.get("count") or 1),
        subject=f"{subject.get('kind', '')} {subject.get('name', '')}",
        source=str((event.get("source") or {}).get("component") or event.get("reportingComponent") or ""),
    )
