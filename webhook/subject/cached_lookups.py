"""Lookups over the process's caches, and live GETs of objects that the caches miss.

The caches keep only the fields that rules read, because pod templates are most of the size of Jobs and JobTemplates.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from shared import kinds
from shared.kinds import Kind
from shared.kube.cache.cache import Caches
from shared.kube.client.errors import ApiError, NotFound
from shared.kube.client.reader import ApiReader
from shared.model.step import NO_JOB_FIELDS
from shared.model.types import Body
from shared.policy.quota.flow_standing import flow_part
from shared.policy.quota.job_standing import job_has_ended, job_part
from webhook import metrics
from webhook.subject.lookups import MissingObject

_IDENTITY: Final = ("name", "namespace", "uid", "resourceVersion", "deletionTimestamp", "finalizers")


class CachedLookups:
    """Lookups over caches. The constructor registers the caches; the process runs them."""

    complete = True

    def __init__(self, caches: Caches) -> None:
        self._counts_jobs = asyncio.Event()
        self._caches = {
            kinds.QUEUE: caches.want(kinds.QUEUE, transform=_plain),
            kinds.JOBTEMPLATE: caches.want(kinds.JOBTEMPLATE, transform=_template),
            kinds.JOBFLOW: caches.want(kinds.JOBFLOW, transform=_flow),
            kinds.JOB: caches.want(kinds.JOB, transform=_job, needed=self._counts_jobs),
            kinds.NAMESPACE: caches.want(kinds.NAMESPACE, transform=_plain),
            kinds.CRONJOBFLOW: caches.want(kinds.CRONJOBFLOW, transform=_plain, optional=True),
            kinds.JOBFLOWTEMPLATE: caches.want(kinds.JOBFLOWTEMPLATE, transform=_plain, optional=True),
            kinds.JOBFLOWPOLICY: caches.want(kinds.JOBFLOWPOLICY, transform=_plain, optional=True),
            kinds.JOBFLOWPOLICYEXCEPTION: caches.want(kinds.JOBFLOWPOLICYEXCEPTION, transform=_dated, optional=True),
        }
        self._caches[kinds.JOBFLOWPOLICY].on_change(self._policy_changed)

    def _policy_changed(self, old: Body | None, new: Body | None) -> None:
        """Watch Jobs once a policy counts them: they are the most numerous objects, and nothing else looks at them."""
        limits = ((new or {}).get("spec") or {}).get("limits") or {}
        if limits.get("maxActiveJobs") is not None:
            self._counts_jobs.set()

    def get(self, kind: Kind, namespace: str, name: str) -> Body | None:
        cache = self._caches.get(kind)
        return None if cache is None else cache.get(namespace, name)

    def all(self, kind: Kind, namespace: str = "") -> Iterator[Body]:
        cache = self._caches.get(kind)
        yield from () if cache is None else cache.list(namespace or None)


class LiveLookup:
    """Live reads of objects whose absence or presence in the cache may cause a refusal."""

    def __init__(self, api: ApiReader) -> None:
        self._api = api

    async def find(self, absences: Iterable[MissingObject], seconds: float) -> Sequence[tuple[Kind, Body]]:
        """The objects that exist. An object that cannot be read in `seconds` counts as missing."""
        wanted = tuple(absences)
        found = await asyncio.gather(*(self._find(absence, seconds) for absence in wanted))
        return [(absence.kind, body) for absence, body in zip(wanted, found, strict=True) if body is not None]

    async def list(self, kind: Kind, namespace: str, seconds: float) -> list[Body] | None:
        """All objects of a namespace, or None if they cannot be read in `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                found = [body async for body in self._api.list(kind, namespace)]
        except (ApiError, TimeoutError):
            metrics.LOOKUPS.labels("failed").inc()
            return None
        metrics.LOOKUPS.labels("listed").inc()
        return found

    async def _find(self, absence: MissingObject, seconds: float) -> Body | None:
        try:
            async with asyncio.timeout(seconds):
                body = await self._api.get(absence.kind, absence.namespace, absence.name)
        except NotFound:
            metrics.LOOKUPS.labels("absent").inc()
        except (ApiError, TimeoutError):
            metrics.LOOKUPS.labels("failed").inc()
        else:
            metrics.LOOKUPS.labels("found").inc()
            return body
        return None


def _metadata(body: Body, *more: str) -> Body:
    kept = ("name", "namespace", "uid", "resourceVersion", "labels", "annotations", "generation", "deletionTimestamp")
    return {key: body["metadata"][key] for key in (*kept, *more) if key in body["metadata"]}


def _plain(body: Body) -> Body:
    return {**{key: value for key, value in body.items() if key != "metadata"}, "metadata": _metadata(body)}


def _dated(body: Body) -> Body:
    """As _plain, with the time of creation: an exception ends at most so long after it."""
    return {**_plain(body), "metadata": _metadata(body, "creationTimestamp")}


def _template(body: Body) -> Body:
    """A JobTemplate reduced to the names and replicas of its tasks."""
    tasks = [
        {key: task[key] for key in ("name", "replicas") if key in task}
        for task in (body.get("spec") or {}).get("tasks") or ()
        if isinstance(task, dict)
    ]
    return {"metadata": _metadata(body), "spec": {"tasks": tasks} if tasks else {}}


def _step(step: Body) -> Body:
    kept: Body = {key: step[key] for key in ("name", "template", *NO_JOB_FIELDS) if key in step}
    return kept if kept.get("resource") is None else {**kept, "resource": {}}  # its manifest may be large


def _job(body: Body) -> Body:
    """A Job reduced to what quotas read; of one that has ended, nothing but its name."""
    kept = _IDENTITY if job_has_ended(body) else (*_IDENTITY, "labels")
    metadata = {key: body["metadata"][key] for key in kept if key in body["metadata"]}
    return {"metadata": metadata, **job_part(body)}


def _flow(body: Body) -> Body:
    """A JobFlow reduced to its owners, the templates that it uses, its suspension and its state."""
    spec: Body = {
        field: [_step(step) for step in steps]
        for field in ("flows", "finally")
        if (steps := (body.get("spec") or {}).get(field))
    }
    if (body.get("spec") or {}).get("suspend"):
        spec["suspend"] = True
    return {"metadata": _metadata(body, "ownerReferences", "finalizers"), "spec": spec, "status": flow_part(body)}
