"""The policy controller: looks at every stored object now and then and says in status and reports what violates."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any, Final

from controller.cluster.errors import StaleError
from controller.decision import Decision
from controller.policy.census import LISTED, Census, First
from controller.policy.reports import Reports
from controller.policy.status import policy_status
from controller.policy.stored_objects import View
from controller.runtime.controller import Controller, ControllerContext, Route
from controller.runtime.workqueue import WorkQueue
from shared.kinds import JOBFLOWPOLICY
from shared.kube.cache.cache import Cache
from shared.kube.cache.store import Key
from shared.policy import Compiler, Policies
from shared.policy.evaluate import findings, relevant

Body = dict[str, Any]
SCAN: Final = Key("", "scan")
"""The one key: a look at all objects serves all policies."""
WORK_SECONDS: Final = 0.005
REST_SECONDS: Final = 0.005
"""After so much work in one go, the loop is everybody else's for so long."""
HURRY_SECONDS: Final = 40.0
"""A scan that takes longer than this rests less: a pass has its end."""


def policy_wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
    """A policy that comes, goes or changes; not its status, which is ours, unless somebody takes it away."""
    if old is not None and new is not None:
        same = old.get("spec") == new.get("spec") and old["metadata"].get("uid") == new["metadata"].get("uid")
        return () if same and (new.get("status") or {}).get("conditions") else (SCAN,)
    return (SCAN,)


class Breath:
    """Gives the event loop away whenever WORK_SECONDS have been worked."""

    def __init__(self) -> None:
        self._begun = self._since = time.perf_counter()

    async def __call__(self) -> None:
        now = time.perf_counter()
        if now - self._since >= WORK_SECONDS:
            await asyncio.sleep(REST_SECONDS if now - self._begun < HURRY_SECONDS else 0)
            self._since = time.perf_counter()


class PolicyReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self.policies: Cache = context.caches.want(JOBFLOWPOLICY, optional=True)
        self._view = View(context.caches)
        self._applier = context.applier
        self._reports = Reports(context.api)
        self._clock = context.clock
        self._interval = context.settings.scan_interval
        self._compiler = Compiler()

    async def reconcile(self, key: Key) -> float | None:
        """One scan. First every policy is told whether it works at all, since a scan may take a while."""
        bodies = list(self.policies.list())
        made, versions = self._compiler.compile(bodies), {_version(body) for body in bodies}
        stale = await self._tell(made, versions, None)
        census = await self._scan(made) if made.compiled else Census()
        stale |= await self._tell(made, versions, census)
        await self._reports.write(census, self._clock())
        if stale:
            raise StaleError("a policy changed while its status was written")
        return self._interval if self._interval > 0 and bodies else None

    async def _scan(self, made: Policies) -> Census:
        census, breathe = Census(), Breath()
        await self._view.refresh(made, breathe)
        async for given in self._view.objects(breathe):
            for policy in relevant(given, made.compiled):
                census.add(given, findings(policy, given))
                await breathe()
        return census

    async def _tell(self, made: Policies, versions: set[tuple[str, int]], census: Census | None) -> bool:
        """Write the status of every policy that is still as it was compiled; whether one could not be written."""
        stale = False
        for body in list(self.policies.list()):
            name = body["metadata"]["name"]
            if _version(body) not in versions or "deletionTimestamp" in body["metadata"]:
                continue  # its change wakes the next scan
            found = None if census is None else census.by_policy.get(name, First(LISTED))
            status = policy_status(body, made.broken.get(name, ()), found, self._clock())
            if status == body.get("status"):
                continue
            try:
                await self._applier.apply(JOBFLOWPOLICY, body, Decision(status=status))
            except StaleError:
                stale = True
        return stale


def _version(policy: Body) -> tuple[str, int]:
    return str(policy["metadata"].get("uid", "")), int(policy["metadata"].get("generation") or 0)


def build(context: ControllerContext) -> Controller:
    reconciler = PolicyReconciler(context)
    return Controller(
        name="policy",
        queue=WorkQueue("policy"),
        reconciler=reconciler,
        routes=(Route(reconciler.policies, policy_wakes, own_writes=False),),
        concurrency=1,
    )
