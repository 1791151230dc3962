"""Splits a byte stream into lines, in linear time even for very long lines."""

from collections.abc import Iterator


class Lines:
    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The lines that `chunk` completes, without line ends and without empty lines."""
        *complete, rest = chunk.split(b"\n")
        for line in complete:
            self._parts.append(line)
            whole = b"".join(self._parts)
            self._parts.clear()
            if whole:
                yield whole
        if rest:
            self._parts.append(rest)
