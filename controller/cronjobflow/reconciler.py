"""The CronJobFlow controller: observe, decide, apply. The decision itself is controller.cronjobflow.decide."""

from collections.abc import Iterable, Mapping
from typing import Final

from controller.context import ControllerContext
from controller.cronjobflow.decide import decide
from controller.decision import Child, Decision, Refusal
from controller.owner_references import by_controller_uid, controller_of
from controller.runtime.controller import Controller, Route, Wakes
from controller.runtime.reconcile_rounds import decide_and_apply
from controller.runtime.refusals import Refusals
from controller.runtime.routes import its_controller, itself
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
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


class CronJobFlowReconciler:
    """Remembers what the API server refused, by CronJobFlow. It may be lost."""

    def __init__(self, crons: Cache, templates: Cache, flows: Cache, context: ControllerContext) -> None:
        self._crons = crons
        self._templates = templates
        self._flows = flows
        self._applier = context.applier
        self._clock = context.clock
        self._refusals = Refusals()

    async def reconcile(self, key: Key) -> float | None:
        """One pass; the seconds until the next due time or retry."""
        if self._crons.get(*key) is None:
            self._refusals.forget(key)
            return None
        return await decide_and_apply(
            self._applier, self._refusals, CRONJOBFLOW, key, lambda refusals: self._decision(key, refusals)
        )

    def _decision(self, key: Key, refusals: Mapping[Child, Refusal]) -> tuple[Body, Decision]:
        body = self._crons.get(*key)
        if body is None:
            return {}, Decision()
        name = ((body.get("spec") or {}).get("template") or {}).get("name")
        template = self._templates.get(key.namespace, name) if name else None
        flows = self._flows.by(OWNER, str(body["metadata"].get("uid", "")))
        return body, decide(body, template, flows, refusals, self._clock())


def build(context: ControllerContext) -> Controller:
    crons = context.caches.want(CRONJOBFLOW, indexers={TEMPLATE: index_by_template}, optional=True)
    templates = context.caches.want(JOBFLOWTEMPLATE, optional=True)
    flows = context.caches.want(JOBFLOW, indexers={OWNER: index_by_cron})
    return Controller(
        name="cronjobflow",
        queue=WorkQueue("cronjobflow"),
        reconciler=CronJobFlowReconciler(crons, templates, flows, context),
        routes=(
            Route(crons, itself, own_writes=False),
            Route(flows, its_controller(CRONJOBFLOW)),
            Route(templates, template_wakes(crons)),
        ),
        primary=crons,
    )
