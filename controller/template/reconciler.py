"""The JobTemplate controller: observe, decide, apply. It is the simplest one and a pattern for the others."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from controller.cluster.apply import Applier
from controller.context import ControllerContext
from controller.runtime.controller import Controller, Route
from controller.runtime.rate_limit import MAX_TEMPLATE_PAUSE, TEMPLATE_BURST, TEMPLATE_RATE, RateLimiter
from controller.runtime.routes import itself, reference_of
from controller.runtime.workqueue import WorkQueue
from controller.template.decide import decide
from shared.key import Key
from shared.kinds import JOB, JOBTEMPLATE
from shared.kube.cache.cache import Cache
from shared.model.types import Body
from shared.names import CREATED_BY_TEMPLATE

INDEX: Final = "template"
LIST_DELAY: Final = 2.0  # seconds; nobody waits for the list, and the flow that creates the Jobs needs the API server


def templates_of(job: Body) -> Iterator[Key]:
    """The template named in the annotation of a Job (never truncated), or else in its label: NAMESPACE.NAME."""
    metadata = job["metadata"]
    for source in (metadata.get("annotations") or {}, metadata.get("labels") or {}):
        namespace, dot, name = str(source.get(CREATED_BY_TEMPLATE) or "").partition(".")
        if dot and name and namespace == metadata.get("namespace"):
            yield Key(namespace, name)
            return


def index_by_template(job: Body) -> Iterator[str]:
    for key in templates_of(job):
        yield str(key)


def job_wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
    """A template follows the creation and deletion of Jobs, not their changes."""
    return () if old and new else reference_of(old, new, templates_of)


def template_wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
    """Also after somebody else has changed the status: it is corrected."""
    return () if new is None else itself(old, new)


class TemplateReconciler:
    def __init__(self, templates: Cache, jobs: Cache, applier: Applier, steady: Callable[[], float]) -> None:
        self._templates = templates
        self._jobs = jobs
        self._applier = applier
        self._steady = steady
        self._written: dict[Key, float] = {}
        self._reserved: dict[Key, float] = {}
        self._limiter = RateLimiter(TEMPLATE_RATE, TEMPLATE_BURST, MAX_TEMPLATE_PAUSE)

    async def reconcile(self, key: Key) -> float | None:
        template = self._templates.get(*key)
        if template is None:
            self._written.pop(key, None)
            self._reserved.pop(key, None)
            return None
        jobs = [job.name for job in self._jobs.keys_by(INDEX, str(key))]
        now = self._steady()
        decision = decide(template, jobs, now - self._written.get(key, -math.inf))
        if decision.status is None:
            return decision.requeue_after
        if key not in self._reserved:
            self._reserved[key] = self._limiter.reserve(now)
        due = self._reserved[key]
        if now < due:
            return due - now
        await self._applier.apply(JOBTEMPLATE, template, decision)
        self._limiter.record_latency(self._steady() - now)
        del self._reserved[key]
        self._written[key] = now
        return None


def build(context: ControllerContext) -> Controller:
    templates = context.caches.want(JOBTEMPLATE)
    jobs = context.caches.want(JOB, indexers={INDEX: index_by_template})
    return Controller(
        name="jobtemplate",
        queue=WorkQueue("jobtemplate"),
        reconciler=TemplateReconciler(templates, jobs, context.applier, context.steady),
        routes=(Route(templates, template_wakes, own_writes=False), Route(jobs, job_wakes, delay=LIST_DELAY)),
        primary=templates,
    )
