"""WATCH: events after a revision, initial events, bookmarks, selector changes and injected faults."""

import asyncio
import random
import re
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from local.apiserver.call import ApiRequest, truthy
from local.apiserver.errors import StatusError, bad_request, forbidden_field, gone, invalid_object
from local.apiserver.faults import InjectedFault
from local.apiserver.storage.store import ResourceBucket, StoredObject, StoreEvent
from local.apiserver.verbs import reads
from shared.model.types import Body

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

Encode = Callable[[StoredObject], bytes]
INITIAL_END = "k8s.io/initial-events-end"


class Watch:
    """One open watch: its predicate, and the encoded events to send."""

    def __init__(self, core: "ServerState", call: ApiRequest, encode: Encode) -> None:
        self.core, self.call, self.encode = core, call, encode
        self.match, self.equal = reads.matcher(call)
        self.name = self.equal.get("metadata.name")
        self.pending: deque[StoreEvent] = deque()
        self.wake = asyncio.Event()
        self.closed = False
        self.rv = 0

    def hear(self, event: StoreEvent) -> None:
        key = event.entry.key
        if self.call.namespace and key[0] != self.call.namespace:
            self.rv = event.rv
            return
        if self.name is not None and key[1] != self.name:
            return
        self.pending.append(event)
        self.wake.set()

    def close(self) -> None:
        self.closed = True
        self.wake.set()

    def line(self, event: StoreEvent) -> bytes:
        """The event for this watch; empty if its selector matches neither state."""
        self.rv = event.rv
        if self.match is None:
            return frame(event.kind, self.encode(event.entry))
        before = event.previous is not None and self.match(event.previous.obj)
        after = event.kind != "DELETED" and self.match(event.entry.obj)
        if before and not after:
            last = event.entry if event.kind == "DELETED" else StoredObject(event.entry.key, event.rv, _previous(event))
            return frame("DELETED", self.encode(last))
        if not after:
            return b""
        return frame("MODIFIED" if before else "ADDED", self.encode(event.entry))

    def bookmark(self, initial_end: bool = False) -> bytes:
        meta: Body = {"resourceVersion": str(self.core.store.rv), "creationTimestamp": None}
        if initial_end:
            meta["annotations"] = {INITIAL_END: "true"}
        resource = self.call.resource
        found: Body = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        if not resource.custom and "spec" in ((resource.schema or {}).get("properties") or {}):
            found |= {"spec": {}, "status": {}} if resource.has_status else {"spec": {}}
        return frame("BOOKMARK", orjson.dumps(found))


def _previous(event: StoreEvent) -> Body:
    return event.previous.copy() if event.previous is not None else event.entry.copy()


def frame(kind: str, encoded: bytes) -> bytes:
    return b'{"type":"' + kind.encode() + b'","object":' + encoded + b"}\n"


def error_line(error: StatusError) -> bytes:
    return frame("ERROR", orjson.dumps(error.status))


def initial(watch: Watch, bucket: ResourceBucket) -> list[bytes]:
    """The first events: the objects as ADDED, missed events, or an error that ends the watch."""
    call, core = watch.call, watch.core
    wanted = call.query.get("resourceVersion", "")
    from_start = truthy(call.query.get("sendInitialEvents", ""))
    _check_initial(call, from_start)
    start = int(wanted) if wanted.isdigit() else 0
    watch.rv = core.store.rv
    if from_start or start == 0:
        if "sendInitialEvents" in call.query and not from_start:
            return []
        entries = bucket.entries(call.namespace)
        if watch.match is not None:
            entries = [entry for entry in entries if watch.match(entry.obj)]
        lines = [frame("ADDED", watch.encode(entry)) for entry in entries]
        return [*lines, watch.bookmark(initial_end=True)] if from_start else lines
    if start < bucket.compacted or core.faults.choose(call, ("watch-410",)):
        watch.closed = True
        return [error_line(gone(f"too old resource version: {start} ({max(bucket.compacted, start + 1)})"))]
    for event in bucket.history:
        if event.rv > start:
            watch.hear(event)
    return []


def _check_initial(call: ApiRequest, from_start: bool) -> None:
    how = call.query.get("resourceVersionMatch", "")
    if from_start and how != "NotOlderThan":
        fault = forbidden_field(
            "resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        )
        raise invalid_object("meta.k8s.io", "ListOptions", "", [fault])
    if how and "sendInitialEvents" not in call.query:
        fault = forbidden_field(
            "resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        )
        raise invalid_object("meta.k8s.io", "ListOptions", "", [fault])


async def serve(
    core: "ServerState", call: ApiRequest, request: web.BaseRequest, encode: Encode, period: float
) -> web.StreamResponse:
    """Stream events until the client disconnects, the time-out passes, the server stops or a fault ends the watch."""
    bucket = core.store.bucket(call.gr)
    watch = Watch(core, call, encode)
    lines = initial(watch, bucket)
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"})
    for text in call.warnings:
        response.headers.add("Warning", f'299 - "{text}"')
    seconds = call.query.get("timeoutSeconds", "")
    if seconds and not re.fullmatch(r"-?[0-9]+", seconds):
        raise bad_request(f'strconv.ParseInt: parsing "{seconds}": invalid syntax')
    ends = asyncio.get_running_loop().time() + (
        int(seconds) if seconds.isdigit() and seconds != "0" else random.randint(1800, 3600)
    )
    bucket.listeners.add(watch.hear)
    core.watches.add(watch)
    try:
        await response.prepare(request)
        if lines:
            await response.write(b"".join(lines))
        await _pump(watch, response, ends, period)
    except ConnectionError:
        pass  # the client disconnected
    finally:
        bucket.listeners.discard(watch.hear)
        core.watches.discard(watch)
    return response


async def _pump(watch: Watch, response: web.StreamResponse, ends: float, period: float) -> None:
    loop = asyncio.get_running_loop()
    bookmarks = truthy(watch.call.query.get("allowWatchBookmarks", ""))
    next_bookmark = loop.time() + period
    while not (watch.closed and not watch.pending):
        if watch.pending:
            if not await _send_pending(watch, response):
                return
            continue
        now = loop.time()
        if now >= ends:
            if bookmarks:
                await response.write(watch.bookmark())
            return
        if bookmarks and now >= next_bookmark:
            await response.write(watch.bookmark())
            next_bookmark = now + period
        watch.wake.clear()
        try:
            await asyncio.wait_for(watch.wake.wait(), min(ends, next_bookmark if bookmarks else ends) - now + 0.001)
        except TimeoutError:
            continue


async def _send_pending(watch: Watch, response: web.StreamResponse) -> bool:
    """Send the pending events; False if a fault ends the watch."""
    lines: list[bytes] = []
    while watch.pending:
        event = watch.pending.popleft()
        line = watch.line(event)
        if not line:
            continue
        fault = watch.core.faults.choose(watch.call, ("watch-drop", "watch-410", "watch-delay", "watch-duplicate"))
        if fault is None:
            lines.append(line)
            continue
        if not await _inject(fault, line, lines, response, event):
            return False
    if lines:
        await response.write(b"".join(lines))
    return True


async def _inject(
    fault: InjectedFault, line: bytes, lines: list[bytes], response: web.StreamResponse, event: StoreEvent
) -> bool:
    if fault.kind == "watch-duplicate":
        lines += [line, line]
        return True
    if lines:
        await response.write(b"".join(lines))
        lines.clear()
    if fault.kind == "watch-delay":
        await asyncio.sleep(fault.seconds)
        lines.append(line)
        return True
    if fault.kind == "watch-410":
        await response.write(error_line(gone(f"too old resource version: {event.rv - 1} ({event.rv})")))
    return False
