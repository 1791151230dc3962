"""The HTTPS server: aiohttp over one TLS context, with time-outs against clients that send nothing or send slowly."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web

from webhook import metrics
from webhook.server.handler import BODY_LIMIT

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
HANDSHAKE_SECONDS: Final = 5.0
# Idle connections are closed after this time. It is longer than the 90 s of kube-apiserver, so that the API server closes
# first: if the webhook closed first, a request could arrive on a connection that is being closed.
IDLE_SECONDS: Final = 120.0
BACKLOG: Final = 1024
_HEADER_BYTES: Final = 8190


class HttpsProtocols(web.Server):
    """Creates a protocol for each connection and exports the number of open connections."""

    def __init__(self, handle: Handle) -> None:
        super().__init__(
            handle,
            request_factory=_request,
            access_log=None,
            keepalive_timeout=IDLE_SECONDS,
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
        )
        metrics.CONNECTIONS.set_function(lambda: len(self.connections))


def close_connections_when_leaving(handle: Handle, leaving: Callable[[], object]) -> Handle:
    """Wrap `handle`: while `leaving` returns a true value, each response closes its connection.

    The API server reuses open connections, even after the Pod has left the Service. A connection that the server closes
    while a request is on its way fails that request. Draining therefore ends each connection with a response before the
    server closes.
    """

    async def handled(request: web.BaseRequest) -> web.StreamResponse:
        response = await handle(request)
        if leaving():
            response.force_close()
        return response

    return handled


@asynccontextmanager
async def serving(
    handle: Handle,
    host: str,
    port: int,
    tls: ssl.SSLContext,
    *,
    grace: float,
    leaving: Callable[[], object] = lambda: False,
) -> AsyncIterator[int]:
    """Serve until the block ends, then wait at most `grace` seconds for running requests. Yields the port."""
    protocols = HttpsProtocols(close_connections_when_leaving(handle, leaving))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        protocols,
        host or None,
        port,
        ssl=tls,
        ssl_handshake_timeout=HANDSHAKE_SECONDS,
        backlog=BACKLOG,
        reuse_address=True,
    )
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        protocols.pre_shutdown()
        await protocols.shutdown(grace)


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: "asyncio.Task[None]") -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=BODY_LIMIT)
