"""The JobFlowTemplate controller: observe, decide, apply. The decision itself is controller.flowtemplate.decide."""

from collections.abc import Callable, Iterable
from typing import Final

from controller.cluster.apply import Applier
from controller.context import ControllerContext
from controller.flowtemplate.decide import TemplateSeen, decide, used_flow_templates, used_job_templates
from controller.runtime.controller import Controller, Route, Wakes
from controller.runtime.routes import itself
from controller.runtime.workqueue import WorkQueue
from shared.key import Key, key_of
from shared.kinds import JOBFLOWTEMPLATE, JOBTEMPLATE
from shared.kube.cache.cache import Cache
from shared.model.types import Body

USES_JOB: Final = "uses-template"
USES_FLOW: Final = "uses-flow-template"


def index_by_job_template(body: Body) -> Iterable[str]:
    return (str(Key(key_of(body).namespace, name)) for name in used_job_templates(body))


def index_by_flow_template(body: Body) -> Iterable[str]:
    return (str(Key(key_of(body).namespace, name)) for name in used_flow_templates(body))


def users_of(templates: Cache, index: str) -> Wakes:
    """The JobFlowTemplates that use the changed object, when it appears or disappears."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        body = new or old
        return () if body is None or (old and new) else templates.keys_by(index, str(key_of(body)))

    return wakes


class FlowTemplateReconciler:
    """`clock`: epoch seconds."""

    def __init__(self, templates: Cache, jobs: Cache, applier: Applier, clock: Callable[[], float]) -> None:
        self._templates = templates
        self._jobs = jobs
        self._applier = applier
        self._clock = clock

    async def reconcile(self, key: Key) -> float | None:
        body = self._templates.get(*key)
        if body is None:
            return None
        seen = TemplateSeen(
            body,
            frozenset(name for name in used_job_templates(body) if self._jobs.get(key.namespace, name)),
            frozenset(name for name in used_flow_templates(body) if self._templates.get(key.namespace, name)),
        )
        await self._applier.apply(JOBFLOWTEMPLATE, body, decide(seen, self._clock()))
        return None


def build(context: ControllerContext) -> Controller:
    indexers = {USES_JOB: index_by_job_template, USES_FLOW: index_by_flow_template}
    templates = context.caches.want(JOBFLOWTEMPLATE, indexers=indexers, optional=True)
    jobs = context.caches.want(JOBTEMPLATE)
    return Controller(
        name="jobflowtemplate",
        queue=WorkQueue("jobflowtemplate"),
        reconciler=FlowTemplateReconciler(templates, jobs, context.applier, context.clock),
        routes=(
            Route(templates, itself, own_writes=False),
            Route(templates, users_of(templates, USES_FLOW)),
            Route(jobs, users_of(templates, USES_JOB)),
        ),
        primary=templates,
    )
