"""Compresses cached bodies that have not been read for a while: 20 000 Jobs take about 5 MB instead of 150.

A body is packed only when it is no longer among the recently used ones, so objects that are read often stay unpacked.
"""

import zlib
from collections import OrderedDict
from typing import Final

import orjson

from shared.model.types import Body

HOT_BODIES: Final = 150  # about 1 MB of decoded Jobs
NEW_BODIES: Final = 50
WINDOW: Final = 32 * 1024  # the longest dictionary that deflate supports


class Packer:
    """Compresses the bodies of one kind with the first of them as dictionary, because most of their text is equal."""

    def __init__(self) -> None:
        self._dictionary = b""

    def pack(self, body: Body) -> bytes:
        raw = orjson.dumps(body)
        self._dictionary = self._dictionary or raw[:WINDOW]
        deflate = zlib.compressobj(1, zlib.DEFLATED, -15, 5, zdict=self._dictionary)
        return b"".join((deflate.compress(raw), deflate.flush()))

    def unpack(self, packed: bytes) -> Body:
        inflate = zlib.decompressobj(-15, zdict=self._dictionary)
        body: Body = orjson.loads(inflate.decompress(packed))
        return body


class Entry:
    """One cached object: the fields that are read without unpacking, and the body, packed or not."""

    __slots__ = ("_body", "_packed", "packer", "uid", "version")

    def __init__(self, body: Body, packer: Packer) -> None:
        metadata = body["metadata"]
        self.uid: str = metadata.get("uid", "")
        self.version: str = metadata.get("resourceVersion", "")
        self.packer = packer
        self._body: Body | None = body
        self._packed = b""

    def cool(self) -> None:
        if self._body is not None:
            self._packed = self._packed or self.packer.pack(self._body)
            self._body = None

    def body(self) -> Body:
        """The body, which stays unpacked. The caller has to `touch` the entry."""
        if self._body is None:
            self._body = self.packer.unpack(self._packed)
        return self._body

    def peek(self) -> Body:
        """The body, without changing whether it is packed; for reading many."""
        return self.packer.unpack(self._packed) if self._body is None else self._body


class Hot:
    """The most recently used entries of all caches of a process. All others are packed.

    Most bodies, such as those of a flow's Jobs, are never read again after they were stored. So a new body is packed soon,
    unless it is read before, or the body that it replaces was.
    """

    def __init__(self, limit: int = HOT_BODIES, new: int = NEW_BODIES) -> None:
        self._limit = limit
        self._new_limit = new
        self._new: OrderedDict[Entry, None] = OrderedDict()
        self._read: OrderedDict[Entry, None] = OrderedDict()

    def add(self, entry: Entry) -> None:
        """Keep a stored body for a while."""
        self._new[entry] = None
        if len(self._new) > self._new_limit:
            self._new.popitem(last=False)[0].cool()

    def touch(self, entry: Entry) -> None:
        """Keep a body that is being read."""
        self._new.pop(entry, None)
        self._read[entry] = None
        self._read.move_to_end(entry)
        if len(self._read) > self._limit:
            self._read.popitem(last=False)[0].cool()

    def is_read(self, entry: Entry) -> bool:
        return entry in self._read

    def drop(self, entry: Entry) -> None:
        self._new.pop(entry, None)
        self._read.pop(entry, None)
