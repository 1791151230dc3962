"""Events on objects: counted up when they repeat, limited per object, sent in the background, lost rather than late."""

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
REST: Final = 3.0  # times what sending took: an API server that is slow has more urgent things to do...
LONGEST_REST: Final = 0.5  # ...but never more than so many seconds


class Noted(msgspec.Struct, frozen=True):
    """A Note, with the object it is about and when it happened (epoch seconds). `number` tells those of one moment apart."""

    kind: Kind
    involved: Body
    note: Note
    at: float
    number: int = 0

    @property
    def identity(self) -> tuple[str, str, str, str]:
        return str(self.involved.get("uid", "")), self.note.type, self.note.reason, self.note.message


class Recorder:
    """`component`: who speaks, as `kubectl describe` shows it; `instance`: this process. `now`: epoch seconds."""

    def __init__(self, api: Api, component: str, instance: str, *, now: Callable[[], float]) -> None:
        self._api = api
        self._component = component
        self._instance = instance
        self._now = now
        self._waiting: asyncio.Queue[Noted] = asyncio.Queue(WAITING)
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._numbers = itertools.count()
        self._sent: OrderedDict[tuple[str, str, str, str], tuple[str, int]] = OrderedDict()
        self._rest = REST

    def note(self, kind: Kind, body: Body, note: Note) -> None:
        """Have an Event about `body` written some time soon. Never blocks, never fails."""
        noted = Noted(kind, reference(kind, body), note, self._now(), next(self._numbers))
        if not self._bucket(str(noted.involved.get("uid", ""))).try_take():
            metrics.EVENTS.labels("limited").inc()
            return
        try:
            self._waiting.put_nowait(noted)
        except asyncio.QueueFull:
            metrics.EVENTS.labels("dropped").inc()

    async def run(self) -> None:
        """Send what is noted until cancelled."""
        while True:
            noted = await self._waiting.get()
            began = asyncio.get_running_loop().time()
            await self._deliver(noted)
            self._waiting.task_done()
            took = asyncio.get_running_loop().time() - began
            await asyncio.sleep(min(took * self._rest, LONGEST_REST))

    async def flush(self, seconds: float) -> None:
        """Wait until all noted so far is sent, at most so long, before the process ends; `run` must be running."""
        self._rest = 0.0
        try:
            await asyncio.wait_for(self._waiting.join(), seconds)
        except TimeoutError:
            LOG.warning("events not sent before the end", extra={"count": self._waiting.qsize()})

    async def _deliver(self, noted: Noted) -> None:
        for attempt in range(TRIES):
            try:
                await self._send(noted)
            except (Unavailable, TooManyRequests) as error:
                if attempt + 1 == TRIES:
                    self._lost(noted, error)
                    return
                await asyncio.sleep(TRY_AGAIN_SECONDS * 2**attempt)
            except (ApiError, NotLeader) as error:  # a leader that slept through its lease has nothing more to say
                self._lost(noted, error)
                return
            except Exception:
                LOG.exception("event not sent", extra={"reason": noted.note.reason})
                return
            else:
                metrics.EVENTS.labels("sent").inc()
                return

    async def _send(self, noted: Noted) -> None:
        known = self._sent.get(noted.identity)
        if known is not None:
            name, count = known
            change: Body = {"count": count + 1, "lastTimestamp": rfc3339(noted.at)}
            try:
                await self._api.patch(EVENT, namespace_of(noted), name, change)
            except NotFound:
                pass  # Events expire after an hour: begin a new one
            else:
                self._remember(noted, name, count + 1)
                return
        body = event(noted, self._component, self._instance)
        await self._api.create(EVENT, body)
        self._remember(noted, body["metadata"]["name"], 1)

    def _remember(self, noted: Noted, name: str, count: int) -> None:
        self._sent[noted.identity] = (name, count)
        self._sent.move_to_end(noted.identity)
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

    def _lost(self, noted: Noted, error: ApiError | NotLeader) -> None:
        metrics.EVENTS.labels("failed").inc()
        level = logging.WARNING if isinstance(error, Invalid) else logging.INFO
        LOG.log(level, "event not sent", extra={"reason": noted.note.reason, "error": str(error)})


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


def namespace_of(noted: Noted) -> str:
    """Events about cluster-scoped objects live in `default`, as Kubernetes wants it."""
    return str(noted.involved.get("namespace") or "default")


def event(noted: Noted, component: str, instance: str) -> Body:
    """A core/v1 Event. Its name is unique by the time in nanoseconds, as client-go's."""
    suffix = f".{int(noted.at * 1e9) + noted.number:x}"
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {
            "name": noted.involved["name"][: MAX_NAME - len(suffix)] + suffix,
            "namespace": namespace_of(noted),
        },
        "involvedObject": noted.involved,
        "type": noted.note.type,
        "reason": noted.note.reason[:MAX_REASON],
        "message": noted.note.message[:MAX_MESSAGE],
        "count": 1,
        "firstTimestamp": rfc3339(noted.at),
        "lastTimestamp": rfc3339(noted.at),
        "source": {"component": component, "host": instance},
        "reportingComponent": component,
        "reportingInstance": instance,
    }
