"""The CronJob controller: observe, decide, apply. The decision itself is controller.cronjob.decide."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from controller.cluster.apply import Applier
from controller.context import ControllerContext
from controller.cronjob.decide import decide
from controller.decision import Child, Decision, Refusal
from controller.owner_references import by_controller_uid, controller_of
from controller.runtime.controller import Controller, Route
from controller.runtime.reconcile_rounds import decide_and_apply
from controller.runtime.refusals import Refusals
from controller.runtime.routes import its_controller, itself
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kinds import CRONJOB, JOB
from shared.kube.cache.cache import Cache
from shared.model.types import Body

OWNER: Final = "cronjob"


def index_by_cron_job(job: Body) -> Iterable[str]:
    """The uid of the CronJob that is the Job's controller."""
    return by_controller_uid(job) if controller_of(job).get("kind") == CRONJOB.kind else ()


class CronJobReconciler:
    """Remembers what the API server refused, by CronJob. It may be lost."""

    def __init__(self, cron_jobs: Cache, jobs: Cache, applier: Applier, clock: Callable[[], float]) -> None:
        self._cron_jobs = cron_jobs
        self._jobs = jobs
        self._applier = applier
        self._clock = clock
        self._refusals = Refusals()

    async def reconcile(self, key: Key) -> float | None:
        """One pass; the seconds until the next due time or retry."""
        if self._cron_jobs.get(*key) is None:
            self._refusals.forget(key)
            return None
        return await decide_and_apply(
            self._applier, self._refusals, CRONJOB, key, lambda refusals: self._decision(key, refusals)
        )

    def _decision(self, key: Key, refusals: Mapping[Child, Refusal]) -> tuple[Body, Decision]:
        body = self._cron_jobs.get(*key)
        if body is None:
            return {}, Decision()
        jobs = self._jobs.by(OWNER, str(body["metadata"].get("uid", "")))
        return body, decide(body, list(jobs), refusals, self._clock())


def build(context: ControllerContext) -> Controller:
    cron_jobs = context.caches.want(CRONJOB, optional=True)
    jobs = context.caches.want(JOB, indexers={OWNER: index_by_cron_job})
    return Controller(
        name="cronjob",
        queue=WorkQueue("cronjob"),
        reconciler=CronJobReconciler(cron_jobs, jobs, context.applier, context.clock),
        routes=(Route(cron_jobs, itself, own_writes=False), Route(jobs, its_controller(CRONJOB))),
        primary=cron_jobs,
    )
