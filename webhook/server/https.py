"""The HTTPS server: HTTP over one TLS context, with time-outs against clients that send nothing or send slowly."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from webhook import metrics
from webhook.server.handler import BODY_LIMIT
from webhook.server.http import Handle, HttpRequest, HttpResponse, HttpServerConnection

HANDSHAKE_SECONDS: Final = 5.0
# Idle connections are closed after this time. It is longer than the 90 s of kube-apiserver, so that the API server closes
# first: if the webhook closed first, a request could arrive on a connection that is being closed.
IDLE_SECONDS: Final = 120.0
BACKLOG: Final = 1024


def close_connections_when_leaving(handle: Handle, leaving: Callable[[], object]) -> Handle:
    """Wrap `handle`: while `leaving` returns a true value, each response closes its connection.

    The API server reuses open connections, even after the Pod has left the Service. A connection that the server closes
    while a request is on its way fails that request. Draining therefore ends each connection with a response before the
    server closes.
    """

    async def handled(request: HttpRequest) -> HttpResponse:
        response = await handle(request)
        response.closes = response.closes or bool(leaving())
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
    connections: set[HttpServerConnection] = set()
    metrics.CONNECTIONS.set_function(lambda: len(connections))
    handled = close_connections_when_leaving(handle, leaving)
    server = await asyncio.get_running_loop().create_server(
        lambda: HttpServerConnection(handled, connections, idle_seconds=IDLE_SECONDS, most=BODY_LIMIT),
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
        await _end(connections, grace)


async def _end(connections: set[HttpServerConnection], grace: float) -> None:
    for connection in tuple(connections):
        connection.leave()
    if running := {connection.task for connection in connections if connection.task is not None}:
        await asyncio.wait(running, timeout=grace)
    for connection in tuple(connections):
        connection.abort()
    await asyncio.sleep(0)  # the event loop closes aborted sockets in its next round
