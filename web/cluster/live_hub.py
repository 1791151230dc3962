"""All watches of all users. A watch starts with the first page that needs it and ends some time after the last."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from shared.kinds import Kind
from web.cluster.caller import Caller
from web.cluster.live_list import LiveList, Row
from web.cluster.topics import Topic

LINGER_SECONDS: Final = 60.0  # pages come and go: a watch outlives the last one by so much
STREAMS: Final = 40  # open streams of one person; a browser needs one for all of its tabs
LISTS: Final = 4  # of all people at once
_SWEEP_SECONDS: Final = 15.0

WatchKey = tuple[str, Kind, str]


class LiveStream:
    """The topics of one browser. Changes are merged until the browser takes them, so a slow one never falls behind.

    `wait` returns the topics that have changed since the last call, and those whose watch has failed or works again.
    """

    def __init__(self, topics: Sequence[Topic]) -> None:
        self.topics = tuple(topics)
        self.closed = False
        self._changed: dict[str, None] = {}
        self._news = asyncio.Event()

    def tell(self, key: WatchKey, subject: str) -> None:
        for topic in self.topics:
            if (topic.kind, topic.namespace) == key[1:] and (not subject or topic.covers(subject)):
                self._changed[topic.text] = None
                self._news.set()

    def wake(self) -> None:
        self._news.set()

    def close(self) -> None:
        """End the stream; the browser connects again if it still may."""
        self.closed = True
        self._news.set()

    async def wait(self) -> list[str]:
        await self._news.wait()
        self._news.clear()
        changed, self._changed = list(self._changed), {}
        return changed


class _Watch(msgspec.Struct, kw_only=True):
    """`used`: when somebody last wanted it; `streams`: those that receive its changes."""

    live: LiveList
    task: "asyncio.Task[None]"
    used: float
    streams: list[LiveStream]


class TooManyStreams(Exception):
    """One person has as many open streams as one may have."""


class LiveHub:
    """`rows`: what is kept of the objects of a kind; of other kinds only the fact of a change is known."""

    def __init__(self, rows: Mapping[Kind, Row], clock: Callable[[], float] = time.monotonic) -> None:
        self._rows = rows
        self._clock = clock
        self._lists = asyncio.Semaphore(LISTS)
        self._watches: dict[WatchKey, _Watch] = {}
        self._streams: dict[str, int] = {}

    def want(self, caller: Caller, kind: Kind, namespace: str) -> LiveList:
        """The watch of this user, started if necessary."""
        return self._watch(caller, kind, namespace).live

    @contextlib.contextmanager
    def stream(self, caller: Caller, topics: Sequence[Topic]) -> Iterator[LiveStream]:
        """Raises TooManyStreams."""
        made = LiveStream(topics)
        with self.one_more(caller):
            yield from self._attached(caller, topics, made)

    @contextlib.contextmanager
    def one_more(self, caller: Caller) -> Iterator[None]:
        """Counts an open stream. Raises TooManyStreams."""
        if self._streams.get(caller.identity, 0) >= STREAMS:
            raise TooManyStreams
        self._streams[caller.identity] = self._streams.get(caller.identity, 0) + 1
        try:
            yield
        finally:
            self._streams[caller.identity] -= 1
            if not self._streams[caller.identity]:
                del self._streams[caller.identity]

    def _attached(self, caller: Caller, topics: Sequence[Topic], made: LiveStream) -> Iterator[LiveStream]:
        watches = [self._watch(caller, kind, namespace) for kind, namespace in dict.fromkeys(_scopes(topics))]
        for watch in watches:
            watch.streams.append(made)
        try:
            yield made
        finally:
            for watch in watches:
                watch.streams.remove(made)
                watch.used = self._clock()

    def faults(self, caller: Caller, topics: Sequence[Topic]) -> dict[str, str]:
        """Why topics are not live: `forbidden`, `missing`, `signed out` or `lost`, by topic."""
        found = {}
        for topic in topics:
            watch = self._watches.get((caller.identity, topic.kind, topic.namespace))
            if watch is not None and watch.live.fault is not None:
                found[topic.text] = _WORDS.get(watch.live.fault.code, "lost")
        return found

    async def run(self) -> None:
        """End watches that nobody wants any more, until cancelled; then end all."""
        try:
            while True:
                await asyncio.sleep(_SWEEP_SECONDS)
                self.sweep()
        finally:
            for watch in self._watches.values():
                watch.task.cancel()
            await asyncio.gather(*(watch.task for watch in self._watches.values()), return_exceptions=True)

    def sweep(self) -> None:
        oldest = self._clock() - LINGER_SECONDS
        for key, watch in list(self._watches.items()):
            if not watch.streams and watch.used < oldest:
                watch.task.cancel()
                del self._watches[key]

    def _watch(self, caller: Caller, kind: Kind, namespace: str) -> _Watch:
        key = (caller.identity, kind, namespace)
        watch = self._watches.get(key)
        if watch is None or watch.task.done():
            streams = watch.streams if watch else []
            live = LiveList(
                caller.api,
                kind,
                namespace,
                self._rows.get(kind),
                lists=self._lists,
                tell=lambda subject: _tell(streams, key, subject),
                failed=lambda: _wake(streams),
            )
            watch = _Watch(live=live, task=asyncio.create_task(live.run()), used=self._clock(), streams=streams)
            self._watches[key] = watch
        watch.used = self._clock()
        return watch


_WORDS: Final = {401: "signed out", 403: "forbidden", 404: "missing"}


def _scopes(topics: Sequence[Topic]) -> list[tuple[Kind, str]]:
    return [(topic.kind, topic.namespace) for topic in topics]


def _tell(streams: Sequence[LiveStream], key: WatchKey, subject: str) -> None:
    for stream in streams:
        stream.tell(key, subject)


def _wake(streams: Sequence[LiveStream]) -> None:
    for stream in streams:
        stream.wake()
