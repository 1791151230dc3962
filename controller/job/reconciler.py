"""The Job controller: observe, decide, apply. The decision itself is controller.job.decide."""

from collections.abc import Mapping

from controller.cluster.errors import StaleError
from controller.context import ControllerContext
from controller.decision import Child, Decision, Refusal
from controller.job.decide import decide
from controller.job.observe.caches import JobCaches
from controller.job.observe.observer import JobObserver
from controller.job.routes import job_routes
from controller.runtime.controller import Controller
from controller.runtime.reconcile_rounds import decide_and_apply
from controller.runtime.refusals import Refusals
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kinds import JOB
from shared.model.types import Body


class JobReconciler:
    """Remembers, for each Job, what the API server refused and when its status was written. Both may be lost."""

    def __init__(self, observer: JobObserver, context: ControllerContext) -> None:
        self._observer = observer
        self._applier = context.applier
        self._admission = context.admission
        self._steady = context.steady
        self._refusals = Refusals()
        self._wrote: dict[Key, tuple[str, float]] = {}

    async def reconcile(self, key: Key) -> float | None:
        """One pass; the seconds until the next one that nothing else would cause. Raises ApiError and StaleError."""
        await self._observer.prepare(key)
        if self._observer.job(key) is None:
            self._admission.free(key.namespace, self._refusals.of(key))
            self._refusals.forget(key)
            self._wrote.pop(key, None)
            return None
        try:
            again = await decide_and_apply(
                self._applier, self._refusals, JOB, key, lambda refusals: self._decision(key, refusals)
            )
        except StaleError:
            self._observer.invalidate(key)
            raise
        return min((wait for wait in (again, self._observer.next_read(key)) if wait is not None), default=None)

    def _decision(self, key: Key, refusals: Mapping[Child, Refusal]) -> tuple[Body, Decision]:
        found = self._observer.job(key)
        if found is None:
            return {}, Decision()
        body, job = found
        observed = self._observer.observed(body, job, refusals, self._since_last_write(key, job.metadata.uid))
        decision = decide(observed)
        if decision.status is not None:
            self._wrote[key] = (job.metadata.uid, self._steady())
        return body, self._admission.admit_new(decision, key.namespace, refusals)

    def _since_last_write(self, key: Key, uid: str) -> float:
        """Seconds since this process wrote the Job's status, or first saw the Job."""
        now = self._steady()
        known, wrote_at = self._wrote.get(key, ("", now))
        if known != uid:
            self._wrote[key] = (uid, wrote_at := now)
        return now - wrote_at


def build(context: ControllerContext) -> Controller:
    caches = JobCaches(context)
    observer = JobObserver(caches, context)
    return Controller(
        name="job",
        queue=WorkQueue("job"),
        reconciler=JobReconciler(observer, context),
        routes=job_routes(caches, observer.quotas),
        primary=caches.jobs,
    )
