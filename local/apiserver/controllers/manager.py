"""The controllers inside the server (parts of kube-controller-manager and kube-apiserver), with one work queue."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from local.apiserver.controllers import aggregation, crds, garbagecollector, namespaces
from local.apiserver.errors import StatusError
from local.apiserver.storage.store import GroupResource, StoreEvent

if TYPE_CHECKING:
    from local.apiserver.core import ServerState

log = logging.getLogger("apiserver.controllers")
RETRY = 0.5  # seconds until a refused write is retried
Work = tuple[str, Any]


class Controllers:
    """Queues the objects that each write affects, and processes them."""

    def __init__(self, core: "ServerState") -> None:
        self.core = core
        self.ca = ""
        self._queue: asyncio.Queue[Work] = asyncio.Queue()
        self._waiting: set[Work] = set()
        self._task: asyncio.Task[None] | None = None
        self._by_kind: dict[str, Callable[[ServerState, Any], Awaitable[None]]] = {
            "gc": garbagecollector.process,
            "namespace": namespaces.empty,
            "crd": crds.clean_up,
            "roles": aggregation.roles,
            "quota": aggregation.quotas,
        }
        core.store.listeners.append(self.hear)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="controllers")
        for gr, entry in list(self.core.store.all()):
            self.hear(gr, StoreEvent("MODIFIED", entry.rv, entry, entry))

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def add(self, work: Work) -> None:
        if work not in self._waiting:
            self._waiting.add(work)
            self._queue.put_nowait(work)

    def hear(self, gr: GroupResource, event: StoreEvent) -> None:
        for item in garbagecollector.affected(self.core, gr, event):
            self.add(("gc", item))
        key = event.entry.key
        if aggregation.quota_changes(self.core, gr, event):
            self.add(("quota", key[0]))
        if gr == aggregation.ROLES:
            self.add(("roles", ""))
        elif gr == crds.CRDS:
            crds.serve(self.core, event)
            if event.entry.meta.get("deletionTimestamp") and event.kind != "DELETED":
                self.add(("crd", key[1]))
        elif gr == namespaces.NAMESPACES:
            if event.kind == "ADDED":
                namespaces.furnish(self.core, key[1], self.ca)
            elif event.entry.meta.get("deletionTimestamp"):
                self.add(("namespace", key[1]))
        if event.kind == "DELETED":
            self.core.makers.pop(event.entry.uid, None)
            self._after_deletion(gr, key[0])

    def _after_deletion(self, gr: GroupResource, namespace: str) -> None:
        owner = self.core.store.get(namespaces.NAMESPACES, "", namespace) if namespace else None
        if owner is not None and owner.meta.get("deletionTimestamp"):
            self.add(("namespace", namespace))
        resource = self.core.registry.main(gr)
        if resource is not None and resource.crd_name:
            crd = self.core.store.get(crds.CRDS, "", resource.crd_name)
            if crd is not None and crd.meta.get("deletionTimestamp"):
                self.add(("crd", resource.crd_name))

    async def _run(self) -> None:
        while True:
            work = await self._queue.get()
            self._waiting.discard(work)
            try:
                await self._by_kind[work[0]](self.core, work[1])
            except StatusError as error:
                log.warning("%s %s refused: %s", work[0], work[1], error.message)
                asyncio.get_running_loop().call_later(RETRY, self.add, work)
