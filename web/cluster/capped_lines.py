"""Splits a byte stream into lines of bounded length, because a container may write ten megabytes without a line end."""

from collections.abc import Iterator
from typing import Final

LONGEST: Final = 16 * 1024


class CappedLines:
    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._part = b""
        self._dropped = 0

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The lines that `chunk` completes, without line ends; of longer ones the beginning, and how much is missing."""
        *complete, rest = chunk.split(b"\n")
        for line in complete:
            self._add(line)
            yield self._take()
        self._add(rest)

    def end(self) -> Iterator[str]:
        """The last line, if it has no line end."""
        if self._part or self._dropped:
            yield self._take()

    def _add(self, data: bytes) -> None:
        room = self._longest - len(self._part)
        self._part += data[:room]
        self._dropped += max(len(data) - room, 0)

    def _take(self) -> str:
        text = self._part.decode("utf-8", "replace").rstrip("\r")
        if self._dropped:
            text += f" … {self._dropped} bytes left out"
        self._part, self._dropped = b"", 0
        return text
