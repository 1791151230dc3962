"""Clients that keep connections and send next to nothing: idle ones, and ones that send a byte now and then."""

import contextlib
import resource
import socket
import ssl
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.chaos.fuzz.target import Target

PAUSE_SECONDS = 0.5


def address(target: Target) -> tuple[str, int]:
    place = urlsplit(target.cluster.webhook_url)
    return str(place.hostname), int(place.port or 0)


def room_for(files: int) -> None:
    """So many open files more than usual, in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < files + 512:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, files + 512), hard))


@contextlib.contextmanager
def idle(target: Target, count: int, *, tls: bool) -> Iterator[None]:
    """`count` connections that say nothing: before the handshake, or after it."""
    room_for(count)
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(_connected(target, tls))
        yield


@contextlib.contextmanager
def slow(target: Target, count: int) -> Iterator[None]:
    """`count` connections that send a request byte by byte: half of them its head, half of them its body."""
    room_for(count)
    over = threading.Event()
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(_connected(target, tls=True)) for _ in range(count)]
        dripping = threading.Thread(target=_drip, args=(sockets, over), daemon=True)
        dripping.start()
        try:
            yield
        finally:
            over.set()
            dripping.join(30)


def _connected(target: Target, tls: bool) -> socket.socket:
    raw = socket.create_connection(address(target), timeout=20)
    return target.context.wrap_socket(raw, server_hostname=address(target)[0]) if tls else raw


def _drip(sockets: list[socket.socket], over: threading.Event) -> None:
    head = b"POST /jobflows/validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n"
    for number, each in enumerate(sockets):
        with contextlib.suppress(OSError, ssl.SSLError):
            each.sendall(head[:40] if number % 2 else head + b"\r\n")
    at = 40
    while not over.wait(PAUSE_SECONDS):
        for number, each in enumerate(sockets):
            # The server may have closed the connection, which is correct.
            with contextlib.suppress(OSError, ssl.SSLError):
                each.sendall(head[at : at + 1] or b"x" if number % 2 else b" ")
        at += 1
