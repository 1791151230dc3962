"""The whole API client: what `reader` and `writer` offer, over one connection pool and one rate limit."""

import math
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from shared.kube.client.reader import ApiReader
from shared.kube.client.sender import HttpTransport, RequestObserver, RequestSender
from shared.kube.client.writer import ApiWriter

TIMEOUT_SECONDS: Final = 30.0


class Api(ApiReader, ApiWriter):
    """One per process: an async context manager that closes the connections at its end.

    `qps`, `timeout`, `total` and `before_write`: see `RequestSender`; `observer`: None to count nothing.
    """

    def __init__(
        self,
        transport: HttpTransport,
        *,
        qps: float = 0.0,
        timeout: float = TIMEOUT_SECONDS,
        total: float = math.inf,
        before_write: Callable[[], None] | None = None,
        observer: RequestObserver | None = None,
    ) -> None:
        self._sender = RequestSender(
            transport,
            qps=qps,
            timeout=timeout,
            total=total,
            before_write=before_write,
            observer=observer or RequestObserver(),
        )

    @property
    def before_write(self) -> Callable[[], None] | None:
        return self._sender.before_write

    @before_write.setter
    def before_write(self, check: Callable[[], None] | None) -> None:
        self._sender.before_write = check

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._sender.transport.close()
