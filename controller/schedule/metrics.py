"""Metrics of schedules: how late runs start, missed and skipped times, the state and the last success of each schedule.

Only the last success has a series per schedule, for at most MOST_SERIES schedules of a kind; the others are counted.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from controller.schedule.conditions import READY
from controller.schedule.tally import ScheduleTally
from shared.key import Key, key_of
from shared.kinds import Kind
from shared.kube.cache.cache import Cache
from shared.model.types import Body
from shared.timestamp import epoch_or_none

MOST_SERIES: Final = 1000
LAG_SECONDS: Final = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600, 14400, 86400)

LAG: Final = Histogram(
    "jobflow_schedule_lag_seconds", "From when a run could start to its creation.", ["kind"], buckets=LAG_SECONDS
)
MISSED: Final = Counter("jobflow_schedule_missed_total", "Due times that passed without a run.", ["kind"])
SKIPPED: Final = Counter(
    "jobflow_schedule_skipped_total", "Due times passed over because of suspend, Forbid or `when`.", ["kind", "cause"]
)
SCHEDULES: Final = Gauge("jobflow_schedules", "Schedules by state; each replica counts them all.", ["kind", "state"])
LAST_SUCCESS: Final = Gauge(
    "jobflow_schedule_last_success_timestamp_seconds",
    f"When a run of the schedule last succeeded; for the first {MOST_SERIES} schedules of a kind.",
    ["kind", "schedule"],
)
UNLISTED: Final = Gauge(
    "jobflow_schedules_without_last_success_series", "Schedules above the limit of series.", ["kind"]
)
_STATES: Final = ("Ready", "NotReady", "Suspended")
_CAUSES: Final = ("suspended", "forbidden", "condition")


def count(kind: Kind, tally: ScheduleTally) -> None:
    """Add what a decision did, after it was carried out."""
    for lag in tally.lags:
        LAG.labels(kind.kind).observe(lag)
    MISSED.labels(kind.kind).inc(max(0, tally.missed))
    for cause, number in tally.skipped.items():
        SKIPPED.labels(kind.kind, cause).inc(max(0, number))


class ScheduleGauges:
    """Follows the schedules of a cache. Replicas that do not lead count too, so a new leader has no gap."""

    def __init__(self, kind: Kind, schedules: Cache, *, most: int = MOST_SERIES) -> None:
        self._kind = kind.kind
        self._most = most
        self._states: dict[Key, str] = {}
        self._listed: set[Key] = set()
        self._unlisted: set[Key] = set()
        LAG.labels(self._kind)
        MISSED.labels(self._kind)
        for cause in _CAUSES:
            SKIPPED.labels(self._kind, cause)
        for state in _STATES:
            SCHEDULES.labels(self._kind, state)
        schedules.on_change(self.changed)

    def changed(self, old: Body | None, new: Body | None) -> None:
        """A schedule in the cache was added, changed or removed."""
        body = new if new is not None else old
        if body is None:
            return
        key = key_of(body)
        self._count(key, None if new is None else _state(new))
        success = None if new is None else epoch_or_none((new.get("status") or {}).get("lastSuccessfulTime"))
        self._show(key, success)
        UNLISTED.labels(self._kind).set(len(self._unlisted))

    def _count(self, key: Key, state: str | None) -> None:
        if (before := self._states.pop(key, None)) is not None:
            SCHEDULES.labels(self._kind, before).dec()
        if state is not None:
            self._states[key] = state
            SCHEDULES.labels(self._kind, state).inc()

    def _show(self, key: Key, success: float | None) -> None:
        self._unlisted.discard(key)
        if success is None:
            if key in self._listed:
                self._listed.discard(key)
                LAST_SUCCESS.remove(self._kind, str(key))
        elif key in self._listed or len(self._listed) < self._most:
            self._listed.add(key)
            LAST_SUCCESS.labels(self._kind, str(key)).set(success)
        else:
            self._unlisted.add(key)


def _state(body: Body) -> str:
    """Read leniently: other controllers may have written the status."""
    conditions = (body.get("status") or {}).get("conditions") or ()
    if any(each.get("type") == READY and each.get("status") == "False" for each in conditions):
        return "NotReady"
    return "Suspended" if (body.get("spec") or {}).get("suspend") else "Ready"
