"""Records Events on objects: in the background, limited per object and reason, and counted up when they repeat.

A reconcile pass does not wait for Events. Important ones (see `Note.important`) are sent at once; between routine ones
are pauses, which spare a slow API server, but which end when Events have waited for long. At most SENDERS requests are
under way at a time. `EventQueue` says what is dropped when too many wait.
"""

import asyncio
import itertools
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from controller import metrics
from controller.cluster.errors import NotLeader
from controller.cluster.event_bodies import event, namespace_of, reference
from controller.cluster.event_queue import EventQueue, PendingEvent
from controller.decision import Note
from shared.kinds import EVENT, Kind
from shared.kube.client.api import Api
from shared.kube.client.errors import AlreadyExists, ApiError, Invalid, NotFound, TooManyRequests, Unavailable
from shared.kube.client.limits import Bucket
from shared.model.types import Body
from shared.timestamp import rfc3339

LOG: Final = logging.getLogger(__name__)

BURST: Final = 25  # client-go: tools/record/events_cache.go
REFILL_PER_SECOND: Final = 1 / 300
REMEMBERED: Final = 4096
WAITING: Final = 2000
SENDERS: Final = 4  # one for all Events, the others for important ones
TRIES: Final = 12  # client-go: tools/record/event.go
TRY_AGAIN_SECONDS: Final = 1.0
MAX_TRY_AGAIN_SECONDS: Final = 10.0
PAUSE_FACTOR: Final = 3.0  # pause after a routine Event, as a multiple of the time it took: spares a slow API server...
MAX_PAUSE: Final = 0.5  # ...but never more than so many seconds...
MAX_DELAY: Final = 10.0  # ...and shorter for Events that waited, down to none after so many seconds
REPORT_SECONDS: Final = 10.0  # between two log lines about dropped Events


class Recorder:
    """`component`: the reporting component, shown by `kubectl describe`; `instance`: this process. `now`: epoch seconds."""

    def __init__(self, api: Api, component: str, instance: str, *, now: Callable[[], float]) -> None:
        self._api = api
        self._component = component
        self._instance = instance
        self._now = now
        self._queue = EventQueue(WAITING)
        self._changed = asyncio.Event()
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()
        self._numbers = itertools.count()
        self._sent: OrderedDict[tuple[str, str, str, str], tuple[str, int]] = OrderedDict()
        self._flushing = False
        self._dropped = {"important": 0, "routine": 0}
        self._reported_at = 0.0

    def note(self, kind: Kind, body: Body, note: Note) -> None:
        """Queue an Event about `body`. Never blocks and never raises."""
        now = self._now()
        pending = PendingEvent(kind, reference(kind, body), note, now, now, next(self._numbers))
        if not self._bucket(pending.uid, note.reason).try_take():
            metrics.EVENTS.labels("limited").inc()
            return
        dropped = self._queue.add(pending)
        if dropped is not None:
            metrics.EVENTS.labels("dropped").inc(dropped.count)
            self._dropped[_importance(dropped)] += dropped.count
            self._report_dropped()
        self._update()

    async def run(self) -> None:
        """Send queued Events until cancelled."""
        async with asyncio.TaskGroup() as senders:
            for sender in range(SENDERS):
                senders.create_task(self._send_events(routine=sender == 0))

    async def flush(self, seconds: float) -> None:
        """Wait up to `seconds` until all queued Events are sent, before the process ends. `run` must be running."""
        self._flushing = True
        self._changed.set()
        try:
            async with asyncio.timeout(seconds):
                while self._queue.unfinished:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            LOG.warning("events not sent before the end", extra={"count": self._queue.unfinished})
        self._report_dropped(now=True)

    async def _send_events(self, *, routine: bool) -> None:
        """`routine`: False to send only important Events, so that these do not wait for a pause."""
        failures = 0  # in a row
        while True:
            pending = self._queue.take(routine=routine or self._flushing)
            if pending is None:
                self._changed.clear()
                await self._changed.wait()
                continue
            began = asyncio.get_running_loop().time()
            delivered = await self._deliver(pending)
            took = asyncio.get_running_loop().time() - began
            failures = 0 if delivered else failures + 1
            self._update()
            self._report_dropped()
            await asyncio.sleep(self._pause(pending, took) if delivered else _try_again(failures))

    async def _deliver(self, pending: PendingEvent) -> bool:
        """Whether the API server answered; if not, the Event waits again, unless it was tried too often."""
        try:
            await self._send(pending)
        except (Unavailable, TooManyRequests) as error:
            if pending.tries + 1 >= TRIES:
                self._log_lost(pending, error)
                self._queue.done(pending)
            else:
                self._queue.put_back(msgspec.structs.replace(pending, tries=pending.tries + 1))
            return False
        except (ApiError, NotLeader) as error:  # a process that lost its lease must not write Events
            self._log_lost(pending, error)
        except Exception:
            LOG.exception("event not sent", extra={"reason": pending.note.reason})
        else:
            metrics.EVENTS.labels("sent").inc()
            metrics.EVENT_DELAY.labels(_importance(pending)).observe(max(0.0, self._now() - pending.at))
        self._queue.done(pending)
        return True

    async def _send(self, pending: PendingEvent) -> None:
        known = self._sent.get(pending.identity)
        if known is not None:
            name, count = known
            count += pending.count
            change: Body = {"count": count, "lastTimestamp": rfc3339(pending.last)}
            try:
                await self._api.patch(EVENT, namespace_of(pending), name, change)
            except NotFound:
                pass  # Events expire after an hour: create a new one
            else:
                self._remember(pending, name, count)
                return
        body = event(pending, self._component, self._instance)
        try:
            await self._api.create(EVENT, body)
        except AlreadyExists:
            if not pending.tries:
                raise
            # stored by an earlier try whose answer was lost
        self._remember(pending, body["metadata"]["name"], pending.count)

    def _pause(self, pending: PendingEvent, took: float) -> float:
        """Seconds to wait after an Event that was sent."""
        if self._flushing or pending.note.important:
            return 0.0
        waited = max(0.0, self._now() - pending.at)
        return min(took * PAUSE_FACTOR, MAX_PAUSE) * max(0.0, 1.0 - waited / MAX_DELAY)

    def _remember(self, pending: PendingEvent, name: str, count: int) -> None:
        self._sent[pending.identity] = (name, count)
        self._sent.move_to_end(pending.identity)
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    def _bucket(self, uid: str, reason: str) -> Bucket:
        key = uid, reason
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(REFILL_PER_SECOND, BURST, self._now)
            if len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return bucket

    def _update(self) -> None:
        metrics.EVENTS_WAITING.set(len(self._queue))
        self._changed.set()

    def _report_dropped(self, *, now: bool = False) -> None:
        """One log line for all Events that were dropped since the last one, at most every REPORT_SECONDS."""
        if not any(self._dropped.values()) or (not now and 0 <= self._now() - self._reported_at < REPORT_SECONDS):
            return
        LOG.warning("events dropped: too many wait", extra=self._dropped)
        self._dropped = dict.fromkeys(self._dropped, 0)
        self._reported_at = self._now()

    def _log_lost(self, pending: PendingEvent, error: ApiError | NotLeader) -> None:
        metrics.EVENTS.labels("failed").inc()
        level = logging.WARNING if isinstance(error, Invalid) else logging.INFO
        LOG.log(level, "event not sent", extra={"reason": pending.note.reason, "error": str(error)})


def _importance(pending: PendingEvent) -> str:
    return "important" if pending.note.important else "routine"


def _try_again(failures: int) -> float:
    return min(TRY_AGAIN_SECONDS * 2.0 ** min(failures - 1, 10), MAX_TRY_AGAIN_SECONDS)
