"""The transport of short commands: blocking requests until a stream is opened, from then on aiohttp for everything."""

import math
import time
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from shared.kube.client.access import Access
from shared.kube.client.errors import Timeout
from shared.kube.client.one_shot.connection import BlockingConnection
from shared.kube.client.requests import Answer, Request

if TYPE_CHECKING:
    from aiohttp import StreamReader

    from shared.kube.client.transport import Transport


class OneShotTransport:
    """Does what `Transport` does. A request blocks the event loop, so it is for programs that wait for its answer
    anyway.

    Blocking would hold up streams, and http.client knows no proxies: then aiohttp is imported and used. `patience`:
    seconds for all requests and pauses together; None for no limit.
    """

    def __init__(self, access: Access, *, user_agent: str, patience: float | None = None) -> None:
        self._deadline = math.inf if patience is None else time.monotonic() + patience
        self._access = access
        self._agent = user_agent
        self._connection = BlockingConnection(access)
        self._pooled: Transport | None = None

    async def close(self) -> None:
        self._connection.close()
        if self._pooled is not None:
            await self._pooled.close()

    async def send(self, request: Request, seconds: float) -> Answer:
        """The answer, with any status, within `seconds`. Raises Unreachable, ConnectionLost or Timeout."""
        seconds = min(seconds, self._left())
        if self._pooled is not None or self._access.proxy:
            return await self._with_aiohttp().send(request, seconds)
        headers = {"User-Agent": self._agent, "Accept": request.accept, "Accept-Encoding": "identity"}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        if authorization := await self._access.authorization():
            headers["Authorization"] = authorization
        return self._connection.exchange(request, headers, seconds)

    def stream(self, request: Request, idle: float) -> "AbstractAsyncContextManager[tuple[int, StreamReader, str]]":
        """Status, body stream and Retry-After. Raises Timeout if no data arrives for `idle` seconds."""
        return self._with_aiohttp().stream(request, idle)

    async def pause(self, seconds: float) -> None:
        """Raises Timeout at once if there is no time for a request after it."""
        if seconds >= self._left():
            raise Timeout("no time for another try")
        if self._pooled is not None:
            await self._pooled.pause(seconds)
        else:
            self._connection.pause(seconds)

    async def renew(self) -> None:
        """Loads the credentials again after the API server has refused those in use."""
        self._connection.close()  # a new certificate is used by new connections
        await self._access.authorization(renew=True)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Timeout("no answer in time")
        return left

    def _with_aiohttp(self) -> "Transport":
        if self._pooled is None:
            from shared.kube.client.transport import Transport

            self._pooled = Transport(self._access, user_agent=self._agent)
        return self._pooled
