"""Runs controllers together until asked to stop."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from controller.runtime.controller import Controller
from controller.runtime.worker import Worker
from shared.kube.cache.cache import Caches

LOG: Final = logging.getLogger(__name__)


class Manager:
    """Call `run` once, when this process has become the leader.

    The queues stay empty until then: the queues of a standby would grow with every object that ever existed.
    """

    def __init__(
        self, controllers: Sequence[Controller], caches: Caches, *, workers: int = 32, scan_interval: float = 0.0
    ) -> None:
        self._controllers = tuple(controllers)
        self._caches = caches
        self._scan_interval = scan_interval
        self._workers = [
            Worker(
                controller.queue,
                controller.reconciler,
                concurrency=controller.concurrency or workers,
                uid_of=controller.uid_of,
            )
            for controller in self._controllers
        ]

    async def run(self, stop: asyncio.Event) -> None:
        """Run the controllers until `stop` is set, then finish the running passes. When cancelled, cancel them at once."""
        await self._caches.synced()
        for controller in self._controllers:
            controller.connect()
        LOG.info("working", extra={"controllers": [controller.name for controller in self._controllers]})
        async with asyncio.TaskGroup() as group:
            for worker in self._workers:
                group.create_task(worker.run())
            scanning = group.create_task(self._scan())
            await stop.wait()
            for controller in self._controllers:
                controller.queue.close()
            scanning.cancel()

    async def _scan(self) -> None:
        while self._scan_interval > 0:
            await asyncio.sleep(self._scan_interval)
            for controller in self._controllers:
                controller.scan()
