"""The TTL controller: deletes finished Jobs after spec.ttlSecondsAfterFinished. Observe, decide, apply."""

from collections.abc import Callable, Iterable

from controller.cluster.apply import Applier
from controller.context import ControllerContext
from controller.runtime.controller import Controller, Route
from controller.runtime.routes import itself
from controller.runtime.workqueue import WorkQueue
from controller.ttl.decide import decide, expires_at
from shared.key import Key
from shared.kinds import JOB
from shared.kube.cache.cache import Cache
from shared.kube.client.errors import NotFound
from shared.kube.client.reader import ApiReader
from shared.model.types import Body


def job_wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
    return itself(old, new) if new is not None and expires_at(new) is not None else ()


class TtlReconciler:
    def __init__(self, jobs: Cache, api: ApiReader, applier: Applier, clock: Callable[[], float]) -> None:
        self._jobs = jobs
        self._api = api
        self._applier = applier
        self._clock = clock

    async def reconcile(self, key: Key) -> float | None:
        job = self._jobs.get(*key)
        if job is None:
            return None
        decision = decide(job, self._clock())
        if not decision.actions:
            return decision.requeue_after
        # A deletion cannot be undone, so read the Job from the API server: its TTL may just have been raised.
        try:
            live = await self._api.get(JOB, *key)
        except NotFound:
            return None
        decision = decide(live, self._clock())
        await self._applier.apply(JOB, live, decision)
        return decision.requeue_after


def build(context: ControllerContext) -> Controller:
    jobs = context.caches.want(JOB)
    return Controller(
        name="ttl",
        queue=WorkQueue("ttl"),
        reconciler=TtlReconciler(jobs, context.api, context.applier, context.clock),
        routes=(Route(jobs, job_wakes, own_writes=False),),
        primary=None,
    )
