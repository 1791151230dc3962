"""The CronJob controller: observe, decide, apply. The decision itself is controller.cronjob.decide."""

from collections.abc import Iterable, Mapping
from typing import Final

from controller.context import ControllerContext
from controller.cronjob.decide import decide
from controller.decision import Child, Decision, Refusal
from controller.owner_references import by_controller_uid, controller_of
from controller.runtime.controller import Controller, Route
from controller.runtime.routes import its_controller, itself
from controller.runtime.workqueue import WorkQueue
from controller.schedule.metrics import ScheduleGauges
from controller.schedule.reconciler import ScheduleReconciler
from shared.kinds import CRONJOB, JOB
from shared.model.types import Body

OWNER: Final = "cronjob"


def index_by_cron_job(job: Body) -> Iterable[str]:
    """The uid of the CronJob that is the Job's controller."""
    return by_controller_uid(job) if controller_of(job).get("kind") == CRONJOB.kind else ()


def build(context: ControllerContext) -> Controller:
    cron_jobs = context.caches.want(CRONJOB, optional=True)
    jobs = context.caches.want(JOB, indexers={OWNER: index_by_cron_job})
    ScheduleGauges(CRONJOB, cron_jobs)

    def decision(body: Body, refusals: Mapping[Child, Refusal], now: float) -> Decision:
        children = jobs.by(OWNER, str(body["metadata"].get("uid", "")))
        return decide(body, list(children), refusals, now)

    return Controller(
        name="cronjob",
        queue=WorkQueue("cronjob"),
        reconciler=ScheduleReconciler(CRONJOB, cron_jobs, context, decision, speed=context.settings.schedule_speed),
        routes=(Route(cron_jobs, itself, own_writes=False), Route(jobs, its_controller(CRONJOB))),
        primary=cron_jobs,
    )
