"""The backfill controller: observe, decide, apply. The decision itself is controller.backfill.decide."""

from collections.abc import Iterable, Mapping
from typing import Final

from controller.backfill.decide import BackfillSeen, decide
from controller.context import ControllerContext
from controller.decision import Child, Decision, Refusal
from controller.owner_references import by_controller_uid, controller_of
from controller.runtime.controller import Controller, Route, Wakes
from controller.runtime.reconcile_rounds import decide_and_apply
from controller.runtime.refusals import Refusals
from controller.runtime.routes import its_controller, itself
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
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
    """Backfills that have not begun, when a schedule or a template of their namespace changes."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        namespace = ((new or old or {}).get("metadata") or {}).get("namespace", "")
        waiting = (body for body in backfills.list(namespace) if not (body.get("status") or {}).get("source"))
        return [Key(namespace, body["metadata"]["name"]) for body in waiting]

    return wakes


class BackfillReconciler:
    """Remembers what the API server refused, by backfill. It may be lost."""

    def __init__(
        self, backfills: Cache, crons: Cache, templates: Cache, flows: Cache, context: ControllerContext
    ) -> None:
        self._backfills = backfills
        self._crons = crons
        self._templates = templates
        self._flows = flows
        self._applier = context.applier
        self._clock = context.clock
        self._refusals = Refusals()

    async def reconcile(self, key: Key) -> float | None:
        """One pass; the seconds until a refused flow is tried again."""
        if self._backfills.get(*key) is None:
            self._refusals.forget(key)
            return None
        return await decide_and_apply(
            self._applier, self._refusals, CRONJOBFLOWBACKFILL, key, lambda refusals: self._decision(key, refusals)
        )

    def _decision(self, key: Key, refusals: Mapping[Child, Refusal]) -> tuple[Body, Decision]:
        body = self._backfills.get(*key)
        if body is None:
            return {}, Decision()
        name = str((body.get("spec") or {}).get("cronJobFlow") or "")
        cron = self._crons.get(key.namespace, name)
        reference = ((cron or {}).get("spec") or {}).get("template") or {}
        seen = BackfillSeen(
            body=body,
            cron=cron,
            template=self._templates.get(key.namespace, reference["name"]) if reference else None,
            flows=self._flows.by(OWNER, str(body["metadata"].get("uid", ""))),
            others=self._flows.by(SCHEDULE, str(Key(key.namespace, label_value(name)))),
            refusals=refusals,
        )
        return body, decide(seen, self._clock())


def build(context: ControllerContext) -> Controller:
    backfills = context.caches.want(CRONJOBFLOWBACKFILL, optional=True)
    crons = context.caches.want(CRONJOBFLOW, optional=True)
    templates = context.caches.want(JOBFLOWTEMPLATE, optional=True)
    flows = context.caches.want(JOBFLOW, indexers={OWNER: index_by_backfill, SCHEDULE: index_by_schedule})
    return Controller(
        name="backfill",
        queue=WorkQueue("backfill"),
        reconciler=BackfillReconciler(backfills, crons, templates, flows, context),
        routes=(
            Route(backfills, itself),
            Route(flows, its_controller(CRONJOBFLOWBACKFILL)),
            Route(crons, waiting_wakes(backfills)),
            Route(templates, waiting_wakes(backfills)),
        ),
        primary=backfills,
    )
