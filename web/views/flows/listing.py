"""The rows of the list of JobFlows: filtered, sorted, cut into pages. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from shared.key import Key
from shared.model.phases import FlowPhase
from shared.model.step import job_template_of, raw_steps
from shared.model.types import Body
from shared.timestamp import epoch_or_none
from web.views.paging import cut

SORTS: Final = ("-created", "created", "name", "-name", "phase", "-progress", "progress", "-duration", "duration")
_GOING: Final = ("running", "pending", "retrying", "suspended")


class FlowRow(msgspec.Struct, frozen=True, weakref=True):
    """One JobFlow, as much of it as the list shows. Times in seconds since 1970; `ended`, `total`: steps;
    `going`, `failed`: steps under way and failed, or 0 where the status does not count them."""

    key: Key
    phase: str
    reason: str
    ended: int
    total: int
    going: int
    failed: int
    created: float | None
    started: float | None
    completed: float | None
    next: str
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def namespace(self) -> str:
        return self.key.namespace

    @property
    def name(self) -> str:
        return self.key.name

    def lasted(self, now: float) -> float:
        return 0.0 if self.started is None else (self.completed or now) - self.started


class FlowFilter(msgspec.Struct, frozen=True):
    """What the query of the list asks for. `name`: part of the name; `page`: from 1."""

    phase: str = ""
    name: str = ""
    sort: str = SORTS[0]
    page: int = 1


class FlowListing(msgspec.Struct, frozen=True):
    """One page of rows; `found`: how many rows pass the filter; `counts`: of all rows by phase.

    `unsorted`: the rows are a page of the API server, in its order and unfiltered; `after`: the token of the next one.
    """

    rows: tuple[FlowRow, ...]
    found: int
    total: int
    page: int
    pages: int
    counts: Mapping[str, int]
    unsorted: bool = False
    after: str = ""


def flow_row(body: Body) -> FlowRow:
    """Total for every stored object: Volcano's flows lack counts, progress and times."""
    metadata, status = body.get("metadata") or {}, body.get("status") or {}
    state, counts = status.get("state") or {}, status.get("counts") or {}
    ended, total = _progress(body, status)
    created = epoch_or_none(metadata.get("creationTimestamp"))
    return FlowRow(
        key=Key(str(metadata.get("namespace") or ""), str(metadata.get("name") or "")),
        phase=str(state.get("phase") or FlowPhase.PENDING),
        reason=str(state.get("reason") or ""),
        ended=ended,
        total=total,
        going=sum(int(counts.get(each) or 0) for each in _GOING) or len(status.get("runningJobs") or ()),
        failed=int(counts.get("failed") or 0) or len(status.get("failedJobs") or ()),
        created=created,
        started=epoch_or_none(status.get("startTime")) or created,
        completed=epoch_or_none(status.get("completionTime")),
        next=str(status.get("nextSummary") or ""),
        labels=tuple(sorted((str(key), str(value)) for key, value in (metadata.get("labels") or {}).items())),
    )


def templates_of(body: Body) -> list[str]:
    """The JobTemplates that the steps of a flow use, each once."""
    return list(dict.fromkeys(name for step in raw_steps(body) if (name := job_template_of(step))))


def _progress(body: Body, status: Body) -> tuple[int, int]:
    """Ended steps over all: what the status says, else counted from its lists of Jobs."""
    ended, slash, total = str(status.get("progress") or "").partition("/")
    if slash and ended.isdigit() and total.isdigit():
        return int(ended), int(total)
    spec = body.get("spec") or {}
    lists = ("completedJobs", "failedJobs", "terminatedJobs")
    steps = len(spec.get("flows") or ()) + len(spec.get("finally") or ())
    return sum(len(status.get(each) or ()) for each in lists), steps


def listing(rows: Iterable[FlowRow], wanted: FlowFilter, now: float) -> FlowListing:
    everything = list(rows)
    counts: dict[str, int] = {}
    for row in everything:
        counts[row.phase] = counts.get(row.phase, 0) + 1
    found = [
        row
        for row in everything
        if (not wanted.phase or row.phase == wanted.phase) and wanted.name.lower() in row.name.lower()
    ]
    ordered = sort_rows(found, wanted.sort, now)
    shown = cut(ordered, wanted.page)
    return FlowListing(shown.rows, len(found), len(everything), shown.page, shown.pages, counts)


def one_page(rows: Sequence[FlowRow], after: str, remaining: int) -> FlowListing:
    """A page as the API server gave it, while the rest is not known."""
    total = len(rows) + remaining
    return FlowListing(tuple(rows), total, total, 1, 1, {}, unsorted=True, after=after)


def sort_rows(rows: Sequence[FlowRow], sort: str, now: float) -> list[FlowRow]:
    """By one column, `-` for descending; equal ones by namespace and name."""
    by_name = sorted(rows, key=lambda row: (row.namespace, row.name))
    column = sort.removeprefix("-")
    keys = {
        "created": lambda row: row.created or 0.0,
        "name": lambda row: (row.name, row.namespace),
        "phase": lambda row: row.phase,
        "progress": lambda row: row.ended / row.total if row.total else 0.0,
        "duration": lambda row: row.lasted(now),
    }
    return sorted(by_name, key=keys.get(column, keys["created"]), reverse=sort.startswith("-"))
