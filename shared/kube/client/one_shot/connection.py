"""One keep-alive connection of the standard library. Each request blocks the thread."""

import http.client
import select
import socket
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from shared.kube.client.access import Access
from shared.kube.client.errors import ConnectionLost, Timeout, Unreachable
from shared.kube.client.requests import CONNECT_SECONDS, Answer, Request, no_answer

_CHUNK: Final = 2**20
_LEAST_SECONDS: Final = 0.001  # a socket with a timeout of 0 does not wait at all


class BlockingConnection:
    """To the API server of `access`; connects when it is first used, and again after errors."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._path = urlsplit(access.host).path
        self._open: http.client.HTTPConnection | None = None

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)

    def exchange(self, request: Request, headers: Mapping[str, str], seconds: float) -> Answer:
        """The answer, with any status, within `seconds`. Raises Unreachable, ConnectionLost or Timeout."""
        deadline = time.monotonic() + seconds
        connection = self._connected(min(seconds, CONNECT_SECONDS))
        try:
            return _exchange(connection, self._path + request.target, request, headers, deadline)
        except TimeoutError as fault:
            self.close()
            raise Timeout(no_answer(self._access.host, request, seconds)) from fault
        except (OSError, http.client.HTTPException) as fault:
            self.close()
            raise ConnectionLost(f"{request.method} {request.target}: {fault!r}") from fault
        except BaseException:  # Ctrl-C: the rest of the answer would be taken for the next one
            self.close()
            raise

    def _connected(self, seconds: float) -> http.client.HTTPConnection:
        if self._open is not None and not _is_over(self._open.sock):
            return self._open
        self.close()
        made = _Connection(self._access, seconds)
        try:
            made.connect()
        except OSError as fault:
            made.close()
            raise Unreachable(f"cannot reach {self._access.host}: {fault}") from fault
        self._open = made
        return made


class _Connection(http.client.HTTPConnection):
    """With the TLS settings of `access`, also the name that the server's certificate must have."""

    def __init__(self, access: Access, seconds: float) -> None:
        where = urlsplit(access.host)
        super().__init__(where.hostname or "", where.port or (443 if access.tls else 80), timeout=seconds)
        self._tls = access.tls
        self._name = access.server_name or where.hostname

    def connect(self) -> None:
        address: Any = (_encoded(self.host), self.port)
        self.sock = socket.create_connection(address, self.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=_encoded(self._name))


def _encoded(name: str | None) -> str | bytes | None:
    """The name as bytes if it is ASCII: to encode text, Python imports the tables of international names."""
    return name.encode("ascii") if name and name.isascii() else name


def _is_over(sock: socket.socket | None) -> bool:
    """Whether the server has closed the connection: between two answers there is nothing else to read."""
    return sock is None or bool(select.select([sock], [], [], 0)[0])


def _exchange(
    connection: http.client.HTTPConnection, target: str, request: Request, headers: Mapping[str, str], deadline: float
) -> Answer:
    sock = connection.sock
    sock.settimeout(_left(deadline))
    connection.request(request.method, target, request.body, dict(headers))
    sock.settimeout(_left(deadline))
    response = connection.getresponse()
    parts = []
    while not response.isclosed():
        sock.settimeout(_left(deadline))
        parts.append(response.read(_CHUNK))
    if response.length:
        raise http.client.IncompleteRead(b"".join(parts), response.length)
    warnings = response.headers.get_all("Warning") or ()
    return Answer(response.status, b"".join(parts), response.headers.get("Retry-After", ""), tuple(warnings))


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), _LEAST_SECONDS)
