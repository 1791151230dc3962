"""The backfill controller: observe, decide, apply. The decision itself is controller.backfill.decide."""

from collections.abc import Iterable, Mapping
from typing import Final

from controller.backfill.decide import BackfillSeen, decide
from controller.context import ControllerContext
from controller.decision import Child, Decision, Refusal
from controller.owner_references import by_controller_uid, controller_of
from controller.runtime.controller import Controller, Route, Wakes
from controller.runtime.routes import its_controller, itself
from controller.runtime.workqueue import WorkQueue
from controller.schedule.reconciler import ScheduleReconciler
from shared.key import Key, key_of
from shared.kinds import CRONJOBFLOW, CRONJOBFLOWBACKFILL, JOBFLOW, JOBFLOWTEMPLATE
from shared.kube.cache.cache import Cache
from shared.model.types import Body
from shared.names import CRON_NAME
from shared.naming import label_value

OWNER: Final = "backfill"
SCHEDULE: Final = "schedule"


def index_by_backfill(flow: Body) -> Iterable[str]:
    """The uid of the backfill that is the flow's controller."""
    return by_controller_uid(flow) if controller_of(flow).get("kind") == CRONJOBFLOWBACKFILL.kind else ()


def index_by_schedule(body: Body) -> Iterable[str]:
    """The CronJobFlow of a flow, by the label that every flow of a schedule carries."""
    name = (body["metadata"].get("labels") or {}).get(CRON_NAME)
    return (str(Key(body["metadata"].get("namespace", ""), name)),) if name else ()


def waiting_wakes(backfills: Cache) -> Wakes:
    """The backfills that have not begun; reconciled when a schedule or a template of their namespace changes."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        namespace = ((new or old or {}).get("metadata") or {}).get("namespace", "")
        waiting = (body for body in backfills.list(namespace) if not (body.get("status") or {}).get("source"))
        return [Key(namespace, body["metadata"]["name"]) for body in waiting]

    return wakes


def build(context: ControllerContext) -> Controller:
    backfills = context.caches.want(CRONJOBFLOWBACKFILL, optional=True)
    crons = context.caches.want(CRONJOBFLOW, optional=True)
    templates = context.caches.want(JOBFLOWTEMPLATE, optional=True)
    flows = context.caches.want(JOBFLOW, indexers={OWNER: index_by_backfill, SCHEDULE: index_by_schedule})

    def decision(body: Body, refusals: Mapping[Child, Refusal], now: float) -> Decision:
        namespace, name = key_of(body).namespace, str((body.get("spec") or {}).get("cronJobFlow") or "")
        cron = crons.get(namespace, name)
        reference = ((cron or {}).get("spec") or {}).get("template") or {}
        seen = BackfillSeen(
            body=body,
            cron=cron,
            template=templates.get(namespace, reference["name"]) if reference else None,
            flows=flows.by(OWNER, str(body["metadata"].get("uid", ""))),
            others=flows.by(SCHEDULE, str(Key(namespace, label_value(name)))),
            refusals=refusals,
        )
        return decide(seen, now)

    return Controller(
        name="backfill",
        queue=WorkQueue("backfill"),
        reconciler=ScheduleReconciler(CRONJOBFLOWBACKFILL, backfills, context, decision),
        routes=(
            Route(backfills, itself),
            Route(flows, its_controller(CRONJOBFLOWBACKFILL)),
            Route(crons, waiting_wakes(backfills)),
            Route(templates, waiting_wakes(backfills)),
        ),
        primary=backfills,
    )
