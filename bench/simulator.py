"""Simulates the Job controller or kubelets: sets Jobs to Completed, or pods to Running and Succeeded, when they appear."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from shared.key import Key
from shared.kinds import JOB, JOBFLOW, POD, PODGROUP, Kind
from shared.kube.client.api import Api
from shared.kube.client.errors import Conflict, NotFound, Timeout, Unreachable
from shared.kube.client.reader import WatchEvent
from shared.model.types import Body

ENDED: Final = frozenset({"Succeed", "Failed"})
FINAL: Final = frozenset({"Completed", "Failed", "Aborted", "Terminated"})
WATCH_SECONDS: Final = 1800


class Tasks:
    """Background tasks that end with the block. Their first failure is raised in the block."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.failure: BaseException | None = None

    def start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.failure = self.failure or task.exception()

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class FlowTimeline:
    """The times when Jobs appeared and completed and when flows ended, by name, in seconds of one clock.

    A Job counts as completed from the earlier of the write's answer and the watch's event. `reported`: for each flow, when
    a status with a phase appeared, and how many completed Jobs it reported.
    """

    def __init__(self, api: Api, namespace: str, *, complete_jobs: bool = True) -> None:
        self.created: dict[str, float] = {}
        self.completed: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self.phases: dict[str, str] = {}
        self.reported: dict[str, list[tuple[float, int]]] = {}
        self._api = api
        self.namespace = namespace
        self._complete = complete_jobs
        self._tasks = Tasks()
        self._changed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["FlowTimeline"]:
        for kind, handle in ((JOB, self._job), (JOBFLOW, self._flow)):
            await follow(self._api, kind, self.namespace, handle, self._tasks)
        try:
            yield self
        finally:
            await self._tasks.close()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until `holds()` is true. Raises the first failure of a background task."""
        while not holds():
            if self._tasks.failure is not None:
                raise self._tasks.failure
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), 1.0)

    def result(self, job: str) -> str:
        """The phase in which the Job of this name ends."""
        return "Completed"

    def _job(self, event: WatchEvent) -> None:
        name, now = event.object["metadata"]["name"], time.perf_counter()
        phase = phase_of(event.object)
        if event.type == "ADDED" and name not in self.created:
            self.created[name] = now
            if self._complete and not phase:
                self._tasks.start(self._set_completed(name))
        if phase in FINAL:
            self.completed.setdefault(name, now)
        self._changed.set()

    def _flow(self, event: WatchEvent) -> None:
        name, phase = event.object["metadata"]["name"], phase_of(event.object)
        self.phases[name] = phase
        if phase:
            self.reported.setdefault(name, []).append((time.perf_counter(), completed_jobs(event.object)))
        if phase in ENDED:
            self.ended.setdefault(name, time.perf_counter())
            self._changed.set()

    async def _set_completed(self, name: str) -> None:
        change = {"status": {"state": {"phase": self.result(name)}}}
        with contextlib.suppress(NotFound):
            await self._api.patch(JOB, self.namespace, name, change, subresource="status")
            self.completed.setdefault(name, time.perf_counter())


class SimulatedKubelet:
    """Sets every pod without scheduling gates to Running, then to Succeeded. `admit`: also admits pod groups, as a
    scheduler would."""

    def __init__(self, api: Api, namespace: str, *, admit: bool) -> None:
        self._api = api
        self._namespace = namespace
        self._admit = admit
        self._tasks = Tasks()
        self._seen: set[Key | str] = set()
        self.created: dict[str, float] = {}
        self.running_at: dict[str, float] = {}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["SimulatedKubelet"]:
        await follow(self._api, POD, self._namespace, self._pod, self._tasks)
        if self._admit:
            await follow(self._api, PODGROUP, self._namespace, self._group, self._tasks)
        try:
            yield self
        finally:
            await self._tasks.close()

    def _pod(self, event: WatchEvent) -> None:
        metadata, spec = event.object["metadata"], event.object["spec"]
        self.created.setdefault(metadata["name"], time.perf_counter())
        if event.type == "DELETED" or spec.get("schedulingGates") or metadata["uid"] in self._seen:
            return
        self._seen.add(metadata["uid"])
        self._tasks.start(self._run(metadata["name"]))

    def _group(self, event: WatchEvent) -> None:
        name = event.object["metadata"]["name"]
        phase = (event.object.get("status") or {}).get("phase") or "Pending"
        if event.type != "DELETED" and phase == "Pending":
            self._tasks.start(self._let_in(name))

    async def _run(self, name: str) -> None:
        with contextlib.suppress(NotFound, Conflict):
            for phase in ("Running", "Succeeded"):
                change = {"status": {"phase": phase}}
                await self._api.patch(POD, self._namespace, name, change, subresource="status")
                self.running_at.setdefault(name, time.perf_counter())

    async def _let_in(self, name: str) -> None:
        with contextlib.suppress(NotFound, Conflict):
            await self._api.patch(PODGROUP, self._namespace, name, {"status": {"phase": "Inqueue"}})


async def follow(api: Api, kind: Kind, namespace: str, handle: Callable[[WatchEvent], None], tasks: Tasks) -> None:
    """Call `handle` for every change from now on."""
    version = ""
    async for page in api.pages(kind, namespace):
        version = page.resource_version
    tasks.start(_follow(api, kind, namespace, version, handle))


async def _follow(api: Api, kind: Kind, namespace: str, version: str, handle: Callable[[WatchEvent], None]) -> None:
    while True:
        try:
            events = api.watch(
                kind, namespace, resource_version=version, timeout_seconds=WATCH_SECONDS, idle=WATCH_SECONDS
            )
            async for event in events:
                version = event.object["metadata"]["resourceVersion"]
                if event.type != "BOOKMARK":
                    handle(event)
        except (Timeout, Unreachable):
            await asyncio.sleep(0.1)


def phase_of(body: Body) -> str:
    return str(((body.get("status") or {}).get("state") or {}).get("phase") or "")


def completed_jobs(flow: Body) -> int:
    """How many steps its status reports as completed; from Volcano's list where there are no counts."""
    status = flow.get("status") or {}
    counts = status.get("counts")
    return int(counts.get("completed", 0)) if counts is not None else len(status.get("completedJobs") or ())
