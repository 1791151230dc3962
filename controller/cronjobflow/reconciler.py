"""The CronJobFlow controller: observe, decide, apply. The decision itself is controller.cronjobflow.decide."""

from collections.abc import Iterable, Mapping
from typing import Final

from controller.context import ControllerContext
from controller.cronjobflow.decide import decide
from controller.decision import Child, Decision, Refusal
from controller.owner_references import by_controller_uid, controller_of
from controller.runtime.controller import Controller, Route, Wakes
from controller.runtime.routes import its_controller, itself
from controller.runtime.workqueue import WorkQueue
from controller.schedule.metrics import ScheduleGauges
from controller.schedule.reconciler import ScheduleReconciler
from shared.key import Key, key_of
from shared.kinds import CRONJOBFLOW, JOBFLOW, JOBFLOWTEMPLATE
from shared.kube.cache.cache import Cache
from shared.model.types import Body

OWNER: Final = "cronjobflow"
TEMPLATE: Final = "template"


def index_by_cron(flow: Body) -> Iterable[str]:
    """The uid of the CronJobFlow that is the flow's controller."""
    return by_controller_uid(flow) if controller_of(flow).get("kind") == CRONJOBFLOW.kind else ()


def index_by_template(cron: Body) -> Iterable[str]:
    """The JobFlowTemplate that a CronJobFlow names."""
    name = ((cron.get("spec") or {}).get("template") or {}).get("name")
    return (str(Key(cron["metadata"].get("namespace", ""), name)),) if name else ()


def template_wakes(crons: Cache) -> Wakes:
    """The CronJobFlows that name a template that has changed."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        body = new or old
        if body is None:
            return ()
        return crons.keys_by(TEMPLATE, str(Key(body["metadata"].get("namespace", ""), body["metadata"]["name"])))

    return wakes


def build(context: ControllerContext) -> Controller:
    crons = context.caches.want(CRONJOBFLOW, indexers={TEMPLATE: index_by_template}, optional=True)
    templates = context.caches.want(JOBFLOWTEMPLATE, optional=True)
    flows = context.caches.want(JOBFLOW, indexers={OWNER: index_by_cron})
    ScheduleGauges(CRONJOBFLOW, crons)

    def decision(body: Body, refusals: Mapping[Child, Refusal], now: float) -> Decision:
        namespace, name = key_of(body).namespace, ((body.get("spec") or {}).get("template") or {}).get("name")
        template = templates.get(namespace, name) if name else None
        children = flows.by(OWNER, str(body["metadata"].get("uid", "")))
        return decide(body, template, children, refusals, now)

    return Controller(
        name="cronjobflow",
        queue=WorkQueue("cronjobflow"),
        reconciler=ScheduleReconciler(CRONJOBFLOW, crons, context, decision, speed=context.settings.schedule_speed),
        routes=(
            Route(crons, itself, own_writes=False),
            Route(flows, its_controller(CRONJOBFLOW)),
            Route(templates, template_wakes(crons)),
        ),
        primary=crons,
    )
