"""A ControllerContext on a fake API server, a clock that tests set, and running controllers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from controller.cluster.apply import Applier
from controller.cluster.events import Recorder
from controller.context import ControllerContext
from controller.gang_api import GangBackend, UngatedBackend
from controller.runtime.controller import Controller
from controller.runtime.manager import Manager
from controller.settings import Settings
from shared.kube.cache.cache import Caches, stopped
from shared.kube.client.api import Api
from shared.model.types import Body

JOBS = "/apis/batch.volcano.sh/v1alpha1/jobs"
FLOWS = "/apis/flow.volcano.sh/v1alpha1/jobflows"
NOW = 1_767_323_045.0  # 2026-01-02T03:04:05Z


class SetClock:
    now = NOW

    def __call__(self) -> float:
        return self.now


def context_on(
    api: Api,
    clock: Callable[[], float],
    *,
    gang: GangBackend | None = None,
    steady: Callable[[], float] | None = None,
    settings: Settings | None = None,
) -> ControllerContext:
    caches = Caches(api)
    recorder = Recorder(api, "test", "here", now=clock)
    applier = Applier(api, caches, recorder, now=clock)
    backend = gang or UngatedBackend()
    return ControllerContext(api, caches, applier, recorder, settings or Settings(), clock, backend, steady or clock)


@asynccontextmanager
async def running(context: ControllerContext, *controllers: Controller) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    manager = Manager(controllers, context.caches, workers=4)
    caching = asyncio.create_task(context.caches.run())
    working = asyncio.create_task(manager.run(stop))
    try:
        yield stop
        stop.set()
        async with asyncio.timeout(5):
            await working
    finally:
        working.cancel()
        await stopped(caching)


def job(name: str, template: str = "ns.a", **more: Any) -> Body:
    return {
        "metadata": {"name": name, "namespace": "ns", "labels": {"volcano.sh/createdByJobTemplate": template}},
        **more,
    }
