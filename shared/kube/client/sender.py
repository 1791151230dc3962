"""Sends requests to the API server: client-side rate limit, warnings and retries.

A request is repeated only if that cannot do its work twice: reads, and writes that the server certainly did not carry
out. `reader` and `writer` build requests and pass them to one `RequestSender`.
"""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from shared.kinds import Kind
from shared.kube.client.backoff import full_jitter
from shared.kube.client.errors import (
    ApiError,
    Timeout,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unreachable,
    error_of,
)
from shared.kube.client.limits import Bucket
from shared.kube.client.requests import Answer, Request

if TYPE_CHECKING:
    from aiohttp import StreamReader

ATTEMPTS: Final = 5
BACKOFF_BASE: Final = 0.1
BACKOFF_CAP: Final = 5.0


class HttpTransport(Protocol):
    """Sends single HTTP requests with credentials: see `Transport` and `OneShotTransport`."""

    async def send(self, request: Request, seconds: float) -> Answer: ...

    def stream(self, request: Request, idle: float) -> "AbstractAsyncContextManager[tuple[int, StreamReader, str]]": ...

    async def pause(self, seconds: float) -> None: ...

    async def renew(self) -> None: ...

    async def close(self) -> None: ...


class RequestObserver:
    """Is told about every try of every request. This one logs the warnings of the API server, and counts nothing."""

    def limited(self, seconds: float) -> None:
        """The client's own rate limit has made a request wait."""

    def answered(self, request: Request, kind: Kind | None, result: int | str, seconds: float | None) -> None:
        """`result`: HTTP status, or the name of the error; `seconds`: until the whole answer, None without one."""

    def repeated(self, request: Request) -> None:
        """The request is sent again."""

    def warned(self, warning: str, resource: str) -> None:
        """`warning`: the header, such as `299 - "TEXT"`."""
        _log(warning, resource)


class RequestSender:
    """`qps`: the client's own limit in requests a second, 0 for none; `timeout`: seconds for one try of one request;
    `total`: seconds for all tries of one request together; `before_write`: called right before every write is sent, each
    try; what it raises keeps the write from being sent.
    """

    def __init__(
        self,
        transport: HttpTransport,
        *,
        qps: float,
        timeout: float,
        total: float,
        before_write: Callable[[], None] | None,
        observer: RequestObserver,
    ) -> None:
        self.transport = transport
        self._observer = observer
        self.before_write = before_write
        self._bucket = Bucket(qps) if qps > 0 else None
        self._timeout = timeout
        self._total = total

    async def send(self, request: Request, kind: Kind | None) -> Answer:
        """Repeats until an answer comes that another try would not improve, or until repeating could do harm."""
        attempt, deadline = 0, time.monotonic() + self._total
        while True:
            left = deadline - time.monotonic()
            if left <= 0:  # the pause or the new credentials took too long
                raise Timeout("no time for another try")
            try:
                return await self._once(request, kind, min(self._timeout, left))
            except Unauthorized:
                if attempt:
                    raise
                await self.transport.renew()
            except ApiError as error:
                if attempt + 1 >= ATTEMPTS or not repeatable(request, error):
                    raise
                pause = _wait(error, attempt)
                if time.monotonic() + pause >= deadline:
                    raise
                await self.transport.pause(pause)
            self._observer.repeated(request)
            attempt += 1

    @asynccontextmanager
    async def stream(self, request: Request, kind: Kind, idle: float) -> "AsyncGenerator[StreamReader, None]":
        """The body of a successful answer as it comes in, sent once. Raises Timeout after `idle` seconds without data."""
        async with self.transport.stream(request, idle) as (code, content, retry_after):
            self._observer.answered(request, kind, code, None)
            if code != 200:
                raise error_of(code, await content.read(), retry_after)
            yield content

    async def _once(self, request: Request, kind: Kind | None, seconds: float) -> Answer:
        if self._bucket is not None:
            self._observer.limited(await self._bucket.take())
        if self.before_write is not None and not request.reads:
            self.before_write()
        started = time.perf_counter()
        try:
            answer = await self.transport.send(request, seconds)
        except ApiError as error:
            self._observer.answered(request, kind, type(error).__name__, None)
            raise
        self._observer.answered(request, kind, answer.code, time.perf_counter() - started)
        for warning in answer.warnings:
            self._observer.warned(warning, kind.resource if kind else request.target)
        if answer.code >= 300:
            raise error_of(answer.code, answer.body, answer.retry_after)
        return answer


def repeatable(request: Request, error: ApiError) -> bool:
    """Whether sending `request` again after `error` cannot carry it out twice."""
    if isinstance(error, TooManyRequests | Unreachable):
        return True
    return request.reads and isinstance(error, Unavailable)


def _wait(error: ApiError, attempt: int) -> float:
    pause = full_jitter(attempt, base=BACKOFF_BASE, cap=BACKOFF_CAP)
    return error.retry_after + pause if isinstance(error, TooManyRequests) else pause


@lru_cache(maxsize=1024)
def _log(warning: str, resource: str) -> None:
    """Logged once: a warning about a kind comes with every request for it."""
    import logging  # takes longer than a short command may

    logging.getLogger(__name__).warning("API server warns", extra={"warning": warning, "resource": resource})
