"""An API server over HTTP in threads of its own, for clients that block."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Final

import orjson

from shared.model.types import Body

Answering = Callable[["ThreadedHandler"], None]
_SECONDS: Final = 10


class ThreadedHandler(BaseHTTPRequestHandler):
    """Hands each request to the server's function."""

    protocol_version = "HTTP/1.1"
    server: "ThreadedServer"

    def handle_one(self) -> None:
        self.server.seen.append((self.command, self.path, self.client_address[1]))
        self.server.answering(self)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_one

    def answer(self, body: Body, code: int = 200, **headers: str) -> None:
        """Also reads the body of the request, which the next request would otherwise begin with."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        raw = orjson.dumps(body)
        self.send_response(code)
        for name, value in {"Content-Length": str(len(raw)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class ThreadedServer(ThreadingHTTPServer):
    """`seen`: method, path and the client's port of each request."""

    daemon_threads = True

    def __init__(self, answering: Answering) -> None:
        super().__init__(("127.0.0.1", 0), ThreadedHandler)
        self.answering = answering
        self.seen: list[tuple[str, str, int]] = []

    @property
    def connections(self) -> int:
        return len({port for _, _, port in self.seen})


@contextmanager
def threaded(answering: Answering, tls: SSLContext | None = None) -> Iterator[tuple[ThreadedServer, str]]:
    """The server and its address."""
    server = ThreadedServer(answering)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server, f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join(_SECONDS)
        server.server_close()
