"""Runs the application on a socket."""

import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

KEEP_ALIVE_SECONDS = 75.0


@asynccontextmanager
async def serving(
    build: Callable[[int], web.Application], host: str, port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve until the block ends. `build` gets the port, which is any free one where 0 is asked for. Yields the port.

    Raises OSError where the address cannot be used.
    """
    listening = _listen(host, port)
    found = int(listening.getsockname()[1])
    # No access log: its lines would have queries in them, and with them the one-time token.
    runner = web.AppRunner(build(found), access_log=None, keepalive_timeout=KEEP_ALIVE_SECONDS, shutdown_timeout=2.0)
    await runner.setup()
    try:
        await web.SockSite(runner, listening, ssl_context=tls).start()
        yield found
    finally:
        await runner.cleanup()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made
