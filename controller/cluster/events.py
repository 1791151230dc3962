"""Records Events on objects: in the background, limited per object, and counted up when they repeat.

Events that cannot be sent in time are dropped, because a reconcile pass must not wait for them.
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
from controller.decision import Note
from shared.kinds import EVENT, Kind
from shared.kube.client.api import Api
from shared.kube.client.errors import ApiError, Invalid, NotFound, TooManyRequests, Unavailable
from shared.kube.client.limits import Bucket
from shared.model.types import Body
from shared.timestamp import rfc3339

LOG: Final = logging.getLogger(__name__)

BURST: Final = 25  # client-go: tools/record/events_cache.go
REFILL_PER_SECOND: Final = 1 / 300
REMEMBERED: Final = 4096
WAITING: Final = 1000
MAX_MESSAGE: Final = 1024
MAX_REASON: Final = 128
MAX_NAME: Final = 253
TRIES: Final = 3
TRY_AGAIN_SECONDS: Final = 1.0
PAUSE_FACTOR: Final = 3.0  # pause after each Event, as a multiple of the time it took: spares a slow API server...
MAX_PAUSE: Final = 0.5  # ...but never more than so many seconds


class PendingEvent(msgspec.Struct, frozen=True):
    """A Note with its object and the time it was recorded (epoch seconds). `number` makes names of the same time unique."""

    kind: Kind
    involved: Body
    note: Note
    at: float
    number: int = 0

    @property
    def identity(self) -> tuple[str, str, str, str]:
        return str(self.involved.get("uid", "")), self.note.type, self.note.reason, self.note.message


class Recorder:
    """`component`: the reporting component, shown by `kubectl describe`; `instance`: this process. `now`: epoch seconds."""

    def __init__(self, api: Api, component: str, instance: str, *, now: Callable[[], float]) -> None:
        self._api = api
        self._component = component
        self._instance = instance
        self._now = now
        self._waiting: asyncio.Queue[PendingEvent] = asyncio.Queue(WAITING)
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._numbers = itertools.count()
        self._sent: OrderedDict[tuple[str, str, str, str], tuple[str, int]] = OrderedDict()
        self._pause_factor = PAUSE_FACTOR

    def note(self, kind: Kind, body: Body, note: Note) -> None:
        """Queue an Event about `body`. Never blocks and never raises."""
        pending = PendingEvent(kind, reference(kind, body), note, self._now(), next(self._numbers))
        if not self._bucket(str(pending.involved.get("uid", ""))).try_take():
            metrics.EVENTS.labels("limited").inc()
            return
        try:
            self._waiting.put_nowait(pending)
        except asyncio.QueueFull:
            metrics.EVENTS.labels("dropped").inc()

    async def run(self) -> None:
        """Send queued Events until cancelled."""
        while True:
            pending = await self._waiting.get()
            began = asyncio.get_running_loop().time()
            await self._deliver(pending)
            self._waiting.task_done()
            took = asyncio.get_running_loop().time() - began
            await asyncio.sleep(min(took * self._pause_factor, MAX_PAUSE))

    async def flush(self, seconds: float) -> None:
        """Wait up to `seconds` until all queued Events are sent, before the process ends. `run` must be running."""
        self._pause_factor = 0.0
        try:
            await asyncio.wait_for(self._waiting.join(), seconds)
        except TimeoutError:
            LOG.warning("events not sent before the end", extra={"count": self._waiting.qsize()})

    async def _deliver(self, pending: PendingEvent) -> None:
        for attempt in range(TRIES):
            try:
                await self._send(pending)
            except (Unavailable, TooManyRequests) as error:
                if attempt + 1 == TRIES:
                    self._log_lost(pending, error)
                    return
                await asyncio.sleep(TRY_AGAIN_SECONDS * 2**attempt)
            except (ApiError, NotLeader) as error:  # a process that lost its lease must not write Events
                self._log_lost(pending, error)
                return
            except Exception:
                LOG.exception("event not sent", extra={"reason": pending.note.reason})
                return
            else:
                metrics.EVENTS.labels("sent").inc()
                return

    async def _send(self, pending: PendingEvent) -> None:
        known = self._sent.get(pending.identity)
        if known is not None:
            name, count = known
            change: Body = {"count": count + 1, "lastTimestamp": rfc3339(pending.at)}
            try:
                await self._api.patch(EVENT, namespace_of(pending), name, change)
            except NotFound:
                pass  # Events expire after an hour: create a new one
            else:
                self._remember(pending, name, count + 1)
                return
        body = event(pending, self._component, self._instance)
        await self._api.create(EVENT, body)
        self._remember(pending, body["metadata"]["name"], 1)

    def _remember(self, pending: PendingEvent, name: str, count: int) -> None:
        self._sent[pending.identity] = (name, count)
        self._sent.move_to_end(pending.identity)
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    def _bucket(self, uid: str) -> Bucket:
        bucket = self._buckets.get(uid)
        if bucket is None:
            bucket = self._buckets[uid] = Bucket(REFILL_PER_SECOND, BURST, self._now)
            if len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(uid)
        return bucket

    def _log_lost(self, pending: PendingEvent, error: ApiError | NotLeader) -> None:
        metrics.EVENTS.labels("failed").inc()
        level = logging.WARNING if isinstance(error, Invalid) else logging.INFO
        LOG.log(level, "event not sent", extra={"reason": pending.note.reason, "error": str(error)})


def reference(kind: Kind, body: Body) -> Body:
    """ObjectReference to `body`."""
    metadata = body["metadata"]
    given = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "name": metadata["name"],
        "namespace": metadata.get("namespace", ""),
        "uid": metadata.get("uid", ""),
        "resourceVersion": metadata.get("resourceVersion", ""),
    }
    return {key: value for key, value in given.items() if value}


def namespace_of(pending: PendingEvent) -> str:
    """Events about cluster-scoped objects are in namespace `default`, as Kubernetes requires."""
    return str(pending.involved.get("namespace") or "default")


def event(pending: PendingEvent, component: str, instance: str) -> Body:
    """A core/v1 Event. The time in nanoseconds makes its name unique, as in client-go."""
    suffix = f".{int(pending.at * 1e9) + pending.number:x}"
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {
            "name": pending.involved["name"][: MAX_NAME - len(suffix)] + suffix,
            "namespace": namespace_of(pending),
        },
        "involvedObject": pending.involved,
        "type": pending.note.type,
        "reason": pending.note.reason[:MAX_REASON],
        "message": pending.note.message[:MAX_MESSAGE],
        "count": 1,
        "firstTimestamp": rfc3339(pending.at),
        "lastTimestamp": rfc3339(pending.at),
        "source": {"component": component, "host": instance},
        "reportingComponent": component,
        "reportingInstance": instance,
    }
