"""Scans the stored objects for violations of policies, and lets other tasks run meanwhile."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from controller.policy.scan_result import ScanResult
from controller.policy.stored_objects import StoredObjects
from shared.kinds import JOBFLOWPOLICYEXCEPTION
from shared.kube.cache.cache import Caches
from shared.model.types import Body
from shared.policy import Compiler, Policies
from shared.policy.exceptions import Exceptions
from shared.policy.judging.findings import findings, relevant

WORK_SECONDS: Final = 0.005
REST_SECONDS: Final = 0.005
"""After WORK_SECONDS of work the scan sleeps for REST_SECONDS, so that other tasks of the event loop run."""
MAX_RESTING_SECONDS: Final = 40.0
"""A scan that takes longer than this yields without sleeping, because the time of a pass is limited."""


class Yielder:
    """Yields to other tasks of the event loop after every WORK_SECONDS of work."""

    def __init__(self) -> None:
        self._begun = self._since = time.perf_counter()

    async def __call__(self) -> None:
        now = time.perf_counter()
        if now - self._since >= WORK_SECONDS:
            await asyncio.sleep(REST_SECONDS if now - self._begun < MAX_RESTING_SECONDS else 0)
            self._since = time.perf_counter()


class Scanner:
    """`schedules`: also scan schedules and flow templates, which this process may read."""

    def __init__(self, caches: Caches, *, schedules: bool = False) -> None:
        self._objects = StoredObjects(caches, schedules=schedules)
        self._exceptions = caches.want(JOBFLOWPOLICYEXCEPTION, optional=True)
        self._compiler = Compiler()

    def compile(self, bodies: Sequence[Body]) -> Policies:
        """The policies that compile, and the faults of those that do not."""
        return self._compiler.compile(bodies)

    async def scan(self, policies: Policies, now: float) -> ScanResult:
        """Evaluate every policy on every stored object that it applies to, with the exceptions at `now` (epoch seconds)."""
        scan_result, yielder = ScanResult(), Yielder()
        if not policies.compiled:
            return scan_result
        exceptions = Exceptions(self._exceptions.list, now)
        async for stored in self._objects.all(policies, now, yielder):
            for policy in relevant(stored, policies.compiled):
                scan_result.add(stored, findings(policy, stored, exceptions))
                await yielder()
        return scan_result
