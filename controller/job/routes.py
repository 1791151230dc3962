"""Which changed object wakes which Job."""

from collections.abc import Iterable
from typing import Any, Final

from controller.job.observe.caches import CLAIMS, ON_NODE, QUEUED, JobCaches
from controller.owner_references import controller_keys
from controller.quota.book import QuotaBook
from controller.runtime.controller import Route, Wakes
from controller.runtime.routes import its_controller, itself
from shared.key import Key
from shared.kinds import JOB
from shared.kube.cache.cache import Cache
from shared.model.types import Body

_SUFFIXES: Final = ("-svc", "-head-svc")  # of the names of plugin objects, behind that of the Job


def job_routes(caches: JobCaches, quotas: QuotaBook) -> tuple[Route, ...]:
    """The routes of the Job controller. Of its own writes only deletions leave more to do."""
    owner = its_controller(JOB)
    children: tuple[Cache, ...] = (caches.pods, caches.groups)
    return (
        Route(caches.jobs, itself, own_writes=False),
        *(Route(cache, owner, own_writes=False) for cache in (*children, *caches.watched.values())),
        *(Route(cache, on_deletion(owner)) for cache in children),
        *(Route(cache, on_deletion(named_like)) for cache in caches.watched.values()),
        Route(caches.commands.cache, caches.commands.wakes),
        Route(caches.queues, queue_wakes(caches.jobs)),
        Route(caches.jobs, quotas.freed),
        *(Route(cache, quotas.held) for cache in (quotas.policies, quotas.namespaces, quotas.exceptions)),
        Route(caches.nodes, node_wakes(caches)),
        Route(caches.resource_quotas, quota_wakes(caches.jobs)),
        Route(caches.claims, claim_wakes(caches.jobs), own_writes=False),
    )


def on_deletion(wakes: Wakes) -> Wakes:
    """The keys that `wakes` names, but only when the object is gone."""

    def waking(old: Body | None, new: Body | None) -> Iterable[Key]:
        return wakes(old, None) if new is None else ()

    return waking


def named_like(old: Body | None, new: Body | None) -> Iterable[Key]:
    """The Jobs whose plugins may want a Service, ConfigMap or NetworkPolicy of this name, which is free now."""
    body = new or old
    if body is None:
        return ()
    namespace, name = body["metadata"].get("namespace", ""), body["metadata"]["name"]
    return (
        Key(namespace, name),
        *(Key(namespace, name.removesuffix(each)) for each in _SUFFIXES if name.endswith(each)),
    )


def queue_wakes(jobs: Cache) -> Wakes:
    """The Jobs of a queue that is created or opened, or whose extendClusters change."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        if new is None or (old is not None and _relevant(old) == _relevant(new)):
            return ()
        return jobs.keys_by(QUEUED, new["metadata"]["name"])

    return wakes


def node_wakes(caches: JobCaches) -> Wakes:
    """The Jobs with pods on a node that is deleted, or created although pods are bound to it. Nodes of the first list wake
    none: every Job is looked at after it.
    """

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        body = new or old
        if body is None or (old is not None and new is not None) or not caches.nodes.has_synced:
            return ()
        return {key for pod in caches.pods.by(ON_NODE, body["metadata"]["name"]) for key in controller_keys(JOB, pod)}

    return wakes


def quota_wakes(jobs: Cache) -> Wakes:
    """The Jobs of a namespace in which a ResourceQuota is deleted, or allows other amounts."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        if old is None or (new is not None and new["status"] == old["status"]):
            return ()
        return jobs.keys(old["metadata"]["namespace"])

    return wakes


def claim_wakes(jobs: Cache) -> Wakes:
    """The Jobs that mount a claim that is created or deleted, and the Job that owns it."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        body = new or old
        if body is None or (old is not None and new is not None):
            return ()
        key = Key(body["metadata"].get("namespace", ""), body["metadata"]["name"])
        return (*jobs.keys_by(CLAIMS, str(key)), *its_controller(JOB)(old, new))

    return wakes


def _relevant(queue: Body) -> tuple[Any, Any]:
    return (queue.get("spec") or {}).get("extendClusters"), (queue.get("status") or {}).get("state")
