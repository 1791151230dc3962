"""A network connection to a server that a test can interrupt and restore."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from yarl import URL


class LineTo:
    """Forwards a port of its own to the server of `url`."""

    def __init__(self, url: str) -> None:
        self._target = URL(url)
        self._port = 0
        self._listening: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._flows: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The same address by this line."""
        return str(self._target.with_port(self._port))

    async def mend(self) -> None:
        self._listening = await asyncio.start_server(self._forward, "127.0.0.1", self._port)
        self._port = self._listening.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Close all connections and accept no new ones."""
        if self._listening is not None:
            self._listening.close()
        for end in self._ends:
            end.transport.abort()
        await asyncio.gather(*self._flows, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._target.host, self._target.port)
        self._ends |= {writer, back}
        copies = [asyncio.create_task(_copy(reader, back)), asyncio.create_task(_copy(there, writer))]
        self._flows |= set(copies)
        await asyncio.gather(*copies)
        self._ends -= {writer, back}
        self._flows -= set(copies)

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cut()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()
