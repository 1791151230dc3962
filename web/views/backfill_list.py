"""The backfills of a schedule: how far they are. Pure."""

from collections.abc import Iterable

import msgspec

from shared import ranges
from shared.model.types import Body
from shared.timestamp import epoch_or_none


class BackfillRow(msgspec.Struct, frozen=True):
    """A CronJobFlowBackfill. `start`, `end`: of its range, as the spec has them; `ended` of `total` due times;
    `fault`: why it makes no progress; `body`: the raw object."""

    name: str
    start: str
    end: str
    ended: int
    total: int
    succeeded: int
    failed: int
    skipped: int
    active: tuple[str, ...]
    completed: float | None
    created: float | None
    fault: str
    body: Body


def backfill_rows(bodies: Iterable[Body], schedule: str) -> tuple[BackfillRow, ...]:
    """Those of one schedule, the newest first."""
    rows = [_row(body) for body in bodies if (body.get("spec") or {}).get("cronJobFlow") == schedule]
    return tuple(sorted(rows, key=lambda row: (-(row.created or 0.0), row.name)))


def _row(body: Body) -> BackfillRow:
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    succeeded, failed, skipped = (
        ranges.count(str(status.get(each) or "")) for each in ("succeeded", "failed", "skipped")
    )
    return BackfillRow(
        name=str(metadata["name"]),
        start=str(spec.get("from") or ""),
        end=str(spec.get("to") or ""),
        ended=succeeded + failed + skipped,
        total=int(status.get("total") or 0),
        succeeded=succeeded,
        failed=failed,
        skipped=skipped,
        active=tuple(str(each.get("name")) for each in status.get("active") or ()),
        completed=epoch_or_none(status.get("completionTime")),
        created=epoch_or_none(metadata.get("creationTimestamp")),
        fault="; ".join(
            str(each.get("message") or each.get("reason") or "")
            for each in status.get("conditions") or ()
            if each.get("type") == "Ready" and each.get("status") == "False"
        ),
        body=body,
    )
