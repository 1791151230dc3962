"""Serves `/healthz`, `/readyz` and `/metrics` over plain HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.registry import REGISTRY

Check = Callable[[], str]
"""A check: returns '' if it passes, else the reason in a few words. Must not block."""

READ_SECONDS: Final = 5.0  # for the head of a request
LONGEST_HEAD: Final = 8192
TEXT: Final = "text/plain; charset=utf-8"


class Health:
    """Named checks, run on every request. `live`: restart the process on failure; `ready`: send it no requests."""

    def __init__(
        self,
        *,
        live: Mapping[str, Check] | None = None,
        ready: Mapping[str, Check] | None = None,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._live = dict(live or {})
        self._ready = dict(ready or {})
        self._registry = registry

    @asynccontextmanager
    async def serve(self, host: str, port: int) -> AsyncIterator[int]:
        """Serves until the block ends and yields the port, a free one if `port` is 0. `host` '' means every address."""
        server = await asyncio.start_server(self._handle, host or None, port, limit=LONGEST_HEAD, reuse_address=True)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()

    def answer(self, method: str, path: str) -> tuple[HTTPStatus, str, bytes]:
        """Status, content type and body of a request."""
        if method not in ("GET", "HEAD"):
            return HTTPStatus.METHOD_NOT_ALLOWED, TEXT, b""
        match path.partition("?")[0]:
            case "/healthz" | "/livez":
                return _checked(self._live)
            case "/readyz":
                return _checked(self._live | self._ready)
            case "/metrics":
                return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry)
        return HTTPStatus.NOT_FOUND, TEXT, b""

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request on each connection: kubelet and Prometheus ask every few seconds."""
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):  # TimeoutError is an OSError
            async with asyncio.timeout(READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
            status, content_type, body = self.answer(method, rest.partition(" ")[0])
            lines = (
                f"HTTP/1.1 {status.value} {status.phrase}",
                f"Content-Type: {content_type}",
                f"Content-Length: {len(body)}",
                "Connection: close\r\n\r\n",
            )
            writer.write("\r\n".join(lines).encode("latin-1") + (b"" if method == "HEAD" else body))
            async with asyncio.timeout(READ_SECONDS):
                await writer.drain()
        writer.close()


def _checked(checks: Mapping[str, Check]) -> tuple[HTTPStatus, str, bytes]:
    """The answer in kube-apiserver's form: one line per check, 200 `ok` or 503."""
    faults = {name: fault for name, check in checks.items() if (fault := check())}
    if not faults:
        return HTTPStatus.OK, TEXT, b"ok"
    lines = [f"[-]{name} failed: {faults[name]}" if name in faults else f"[+]{name} ok" for name in checks]
    return HTTPStatus.SERVICE_UNAVAILABLE, TEXT, ("\n".join(lines) + "\n").encode()
