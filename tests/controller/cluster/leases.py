"""A Lease in an API server that can fail, and processes that compete for it."""

import copy
from collections.abc import Awaitable, Callable

from controller.cluster.lease import Lease
from shared.kinds import Kind
from shared.kube.client.errors import AlreadyExists, Conflict, NotFound, Timeout
from shared.model.types import Body


class LeaseStore:
    """A Lease in an API server, with optimistic locking and faults."""

    def __init__(self) -> None:
        self.body: Body | None = None
        self.version = 0
        self.unreachable = False
        self.lose_answers = False
        self.answer: Callable[[], None] = lambda: None  # called between a request's effect and its response
        self.requests = 0
        self.after_get: Callable[[], Awaitable[None]] | None = None
        self.before_write: Callable[[], Awaitable[None]] | None = None

    async def get(self, kind: Kind, namespace: str, name: str) -> Body:
        self._fail()
        if self.body is None:
            raise NotFound("no lease")
        found = copy.deepcopy(self.body)
        if self.after_get is not None:
            await self.after_get()
        self.answer()
        return found

    async def create(self, kind: Kind, body: Body) -> Body:
        await self._arrives()
        if self.body is not None:
            raise AlreadyExists("there is one")
        return self._put(body)

    async def replace(self, kind: Kind, body: Body) -> Body:
        await self._arrives()
        if self.body is None:
            raise NotFound("no lease")
        if body["metadata"]["resourceVersion"] != self.body["metadata"]["resourceVersion"]:
            raise Conflict("changed")
        return self._put(body)

    def _put(self, body: Body) -> Body:
        self.version += 1
        self.body = copy.deepcopy(body)
        self.body["metadata"]["resourceVersion"] = str(self.version)
        self.answer()
        if self.lose_answers:
            raise Timeout("the answer was lost")
        return copy.deepcopy(self.body)

    def change(self, spec: Body) -> None:
        """Replace the record, as somebody else does."""
        assert self.body is not None
        self.version += 1
        metadata = {**self.body["metadata"], "resourceVersion": str(self.version)}
        self.body = {**self.body, "metadata": metadata, "spec": spec}

    async def _arrives(self) -> None:
        self._fail()
        if self.before_write is not None:
            await self.before_write()

    def _fail(self) -> None:
        self.requests += 1
        if self.unreachable:
            raise Timeout("unreachable")

    @property
    def spec(self) -> Body:
        assert self.body is not None
        return dict(self.body["spec"])


class ElectionProcesses:
    """One monotonic clock for all processes, each with a wall clock of its own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.store = LeaseStore()

    def lease(self, identity: str, skew: float = 0.0, **kwargs: float) -> Lease:
        return Lease(
            self.store,
            "ns",
            "it",
            identity,
            clock=lambda: self.now,
            now=lambda: 1_700_000_000.0 + self.now + skew,
            **kwargs,
        )
