"""Balances connections as a cluster does for a Service: to replicas that are ready, with a short delay after a change
of readiness."""

import contextlib
import random
import socket
import threading
from collections.abc import Callable
from typing import Final, Self

LATE: Final = 0.3  # seconds until a change of readiness has an effect
_CHUNK: Final = 65536


class Balancer:
    """Listens on `port`. `ready`: whether the replica of that name is, just now."""

    def __init__(self, port: int, ready: Callable[[str], bool]) -> None:
        self._listening = socket.create_server(("127.0.0.1", port))
        self._ready = ready
        self._replicas: dict[str, int] = {}
        self._chosen: list[int] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._follow, self._accept)]

    def add(self, name: str, port: int) -> None:
        """A replica, from now on."""
        self._replicas[name] = port

    def serves(self, name: str) -> bool:
        """Whether connections may still go to that replica."""
        return self._replicas[name] in self._chosen

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listening.close()
        for each in self._threads:
            each.join(10)

    def _follow(self) -> None:
        while not self._stop.wait(LATE):
            self._chosen = [port for name, port in list(self._replicas.items()) if self._ready(name)]

    def _accept(self) -> None:
        chance = random.Random(1)
        while not self._stop.is_set():
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                replica = socket.create_connection(("127.0.0.1", chance.choice(self._chosen)), 10)
            except (OSError, IndexError):
                client.close()
                continue
            replica.settimeout(None)
            threading.Thread(target=_join, args=(client, replica), daemon=True).start()


def _join(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until both sides have ended."""
    with one, other:
        back = threading.Thread(target=_pump, args=(other, one), daemon=True)
        back.start()
        _pump(one, other)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
