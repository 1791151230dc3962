"""The open streams of each session, so that they end with it: a user who signs out, or in as somebody else, must not
receive more."""

import contextlib
from collections.abc import Iterator
from typing import Protocol


class Closable(Protocol):
    def close(self) -> None: ...


class OpenStreams:
    def __init__(self) -> None:
        self._found: dict[str, list[Closable]] = {}

    @contextlib.contextmanager
    def of_session(self, id: str, stream: Closable) -> Iterator[None]:
        self._found.setdefault(id, []).append(stream)
        try:
            yield
        finally:
            self._found[id].remove(stream)
            if not self._found[id]:
                del self._found[id]

    def close(self, id: str) -> None:
        for stream in self._found.get(id, ()):
            stream.close()
