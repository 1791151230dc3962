"""The Job controller: joins observing, deciding and applying (controller.job decides)."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec

from controller.cluster.apply import Applier
from controller.cluster.errors import StaleError
from controller.cluster.keypair import new_keypair
from controller.context import ControllerContext
from controller.decision import Child, Decision, Refusal
from controller.gang_api import GangBackend
from controller.job.children import volumes
from controller.job.children.children import PLUGIN_KINDS, named, plugin_keys
from controller.job.decide.defaults import wanted
from controller.job.decide.job import decide
from controller.job.observe.observed import JobSeen, JobSettings, PodSeen, pod_seen
from controller.job.observe.plugin_secrets import PluginSecrets
from controller.job.observe.pods_by_role import STOPPED
from controller.owner_references import by_controller_uid
from controller.plugin_api import KeyPair, job_shape
from controller.plugins import needs_keypair
from controller.runtime.command_targets import catch_up
from controller.runtime.controller import Controller, Route, Wakes
from controller.runtime.reconcile_rounds import decide_and_apply
from controller.runtime.refusals import Refusals
from controller.runtime.routes import its_controller, itself, reference_of
from controller.runtime.workqueue import WorkQueue
from controller.settings import Settings
from shared import names
from shared.key import Key
from shared.kinds import COMMAND, CONFIGMAP, JOB, POD, PODGROUP, PRIORITYCLASS, PVC, QUEUE, SECRET, Kind
from shared.kube.cache.cache import Cache, strip
from shared.model.command import Command
from shared.model.job import Job
from shared.model.job_status import JobStatus
from shared.model.phases import TaskCondition
from shared.model.podgroup import PodGroup
from shared.model.queue import Queue
from shared.model.types import Body
from shared.naming import podgroup_name

LOG: Final = logging.getLogger(__name__)
OWNER: Final = "owner"
TARGET: Final = "target-job"
QUEUED: Final = "queue"
CLAIMS: Final = "claims"
M = TypeVar("M")
KEPT_PODS: Final = 16  # Jobs with more pods keep them parsed between passes


# --- indexes and routes --------------------------------------------------------------------------------------------------


def targets_of(command: Body) -> Iterator[Key]:
    """The Job that a Command is for."""
    target = command.get("target") or {}
    if target.get("kind") == JOB.kind and str(target.get("apiVersion", "")).startswith(f"{JOB.group}/"):
        yield Key(command["metadata"].get("namespace", ""), str(target.get("name", "")))


def index_by_target(command: Body) -> Iterator[str]:
    for key in targets_of(command):
        yield str(key)


def index_by_queue(job: Body) -> Iterator[str]:
    yield str((job.get("spec") or {}).get("queue") or names.DEFAULT_QUEUE)


def index_by_claim(job: Body) -> Iterator[str]:
    """Claims that the Job's user has to make."""
    for volume in (job.get("spec") or {}).get("volumes") or ():
        if volume.get("volumeClaimName"):
            yield str(Key(job["metadata"].get("namespace", ""), volume["volumeClaimName"]))


def command_wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
    return reference_of(None, new, targets_of)


def gone(wakes: Wakes) -> Wakes:
    """Only when something has gone: the only own write after which there is more to do."""

    def waking(old: Body | None, new: Body | None) -> Iterable[Key]:
        return wakes(old, None) if new is None else ()

    return waking


def _queue_wakes(jobs: Cache) -> Wakes:
    """A queue that appears, or whose reach changes, concerns the Jobs in it."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        if new is None or (old is not None and _clusters(old) == _clusters(new)):
            return ()
        return jobs.keys_by(QUEUED, new["metadata"]["name"])

    return wakes


def _clusters(queue: Body) -> Any:
    return (queue.get("spec") or {}).get("extendClusters")


def _claim_wakes(jobs: Cache) -> Wakes:
    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        body = new or old
        if body is None or (old is not None and new is not None):
            return ()
        key = Key(body["metadata"].get("namespace", ""), body["metadata"]["name"])
        return (*jobs.keys_by(CLAIMS, str(key)), *its_controller(JOB)(old, new))

    return wakes


def _is_of_a_job(body: Body) -> bool:
    return names.JOB_NAME in (body["metadata"].get("labels") or {})


def _plugin_cache(context: ControllerContext, kind: Kind) -> Cache:
    """Only Jobs' own ConfigMaps; but all Services and NetworkPolicies, since a user's own may serve a Job."""
    if kind is CONFIGMAP:
        return context.caches.want(kind, label_selector=names.JOB_NAME, accepts=_is_of_a_job)
    return context.caches.want(kind)


def _only_metadata(body: Body) -> Body:
    """Of claims nothing but their existence counts."""
    metadata = strip(body)["metadata"]
    return {"apiVersion": body.get("apiVersion"), "kind": body.get("kind"), "metadata": metadata}


# --- observing ------------------------------------------------------------------------------------------------------------


class Observer:
    """Caches -> JobSeen. Bodies become models here; a body that does not is an admission fault and is logged."""

    def __init__(self, context: ControllerContext) -> None:
        caches = context.caches
        self.jobs = caches.want(JOB, indexers={QUEUED: index_by_queue, CLAIMS: index_by_claim})
        self.pods = caches.want(POD, indexers={OWNER: by_controller_uid})
        self.groups = caches.want(PODGROUP)
        self.queues = caches.want(QUEUE)
        self.commands = caches.want(COMMAND, indexers={TARGET: index_by_target})
        self.claims = caches.want(PVC, transform=_only_metadata)
        self.priorities = caches.want(PRIORITYCLASS)
        self.watched = {name: _plugin_cache(context, kind) for name, kind in PLUGIN_KINDS.items() if kind is not SECRET}
        self.secrets = caches.remember(SECRET)
        self.settings = job_settings(context.settings, context.gang)
        self._clock = context.clock
        self._api, self._caches = context.api, caches
        self._parsed: dict[Key, dict[str, tuple[str, PodSeen | None]]] = {}

    def job(self, key: Key) -> tuple[Body, Job] | None:
        """The stored Job and its model; None when it is gone or cannot be read."""
        body = self.jobs.get(*key)
        if body is None:
            self._parsed.pop(key, None)
            return None
        try:
            return body, parsed_job(body)
        except msgspec.ValidationError as fault:
            LOG.warning("a Job that cannot be read is left alone", extra={"key": str(key), "error": str(fault)})
            return None

    async def catch_up(self, key: Key) -> None:
        """So that no Command is judged by a Job that is gone. Raises ApiError."""
        await catch_up(self._api, self._caches, self.jobs, key, self.commands.by(TARGET, str(key)))

    def plugin_objects(self, job: Job) -> dict[str, Body]:
        """What exists of the Job's plugin objects, by KIND/NAME."""
        keys = plugin_keys(job, wanted(job)) if job.spec.plugins else ()
        found = ((kind, name, self._plugin_object(kind, job.metadata.namespace, name)) for kind, name in keys)
        return {f"{kind}/{name}": body for kind, name, body in found if body is not None}

    def _plugin_object(self, kind: str, namespace: str, name: str) -> Body | None:
        return self.watched.get(kind, self.secrets).get(namespace, name)

    def seen(
        self,
        body: Body,
        job: Job,
        refusals: Mapping[Child, Refusal],
        keypair: KeyPair | None,
        wrote_ago: float,
    ) -> JobSeen:
        key = Key(job.metadata.namespace, job.metadata.name)
        group = self.groups.get(key.namespace, podgroup_name(key.name, job.metadata.uid))
        queue = self.queues.get("", job.spec.queue or names.DEFAULT_QUEUE)
        return JobSeen(
            job=job,
            body=body,
            now=self._clock(),
            pods=self._pods(key, job.metadata.uid),
            group=_converted(group, PodGroup),
            claims=frozenset(self._claims(job)),
            objects=self.plugin_objects(job),
            keypair=keypair,
            commands=tuple(self._commands(key)),
            queue=_converted(queue, Queue),
            refusals=refusals,
            priorities=self._priorities(job),
            wrote_ago=wrote_ago,
            settings=self.settings,
        )

    def _pods(self, key: Key, uid: str) -> tuple[PodSeen, ...]:
        """The Job's pods, parsed once per version: large Jobs are looked at often."""
        before, after = self._parsed.get(key, {}), {}
        for body in self.pods.by(OWNER, uid):
            metadata = body["metadata"]
            known = before.get(metadata["uid"])
            version = metadata.get("resourceVersion", "")
            after[metadata["uid"]] = known if known and known[0] == version else (version, pod_seen(body))
        if len(after) > KEPT_PODS:
            self._parsed[key] = after
        else:
            self._parsed.pop(key, None)
        return tuple(pod for _, pod in after.values() if pod is not None)

    def _claims(self, job: Job) -> Iterator[str]:
        for index, volume in enumerate(job.spec.volumes):
            name = volumes.claim_of(job, index, volume)
            if name and self.claims.get(job.metadata.namespace, name) is not None:
                yield name

    def _commands(self, key: Key) -> Iterator[Command]:
        for body in self.commands.by(TARGET, str(key)):
            command = _converted(body, Command)
            if command is not None and not command.metadata.deletion_timestamp:
                yield command

    def _priorities(self, job: Job) -> dict[str, int]:
        wants = ((task.template.get("spec") or {}).get("priorityClassName") for task in job.spec.tasks or ())
        found = {name: self.priorities.get("", name) for name in wants if name}
        return {name: int(body.get("value") or 0) for name, body in found.items() if body}


def _converted(body: Body | None, model: type[M]) -> M | None:
    """The model of a stored object, or None when there is none or it cannot be read."""
    if body is None:
        return None
    try:
        return msgspec.convert(body, model)
    except msgspec.ValidationError as fault:
        LOG.warning("an object that cannot be read is ignored", extra={"kind": model.__name__, "error": str(fault)})
        return None


def parsed_job(body: Body) -> Job:
    """The model of a stored Job. A status that is not ours to understand counts as none. Raises ValidationError."""
    try:
        return msgspec.convert(body, Job)
    except msgspec.ValidationError:
        job = msgspec.convert({**body, "status": {}}, Job)
        return msgspec.structs.replace(job, status=JobStatus())


def job_settings(settings: Settings, backend: GangBackend) -> JobSettings:
    return JobSettings(depends_on_condition=TaskCondition(settings.depends_on_condition), backend=backend)


# --- the controller -------------------------------------------------------------------------------------------------------


class JobReconciler:
    def __init__(self, observer: Observer, applier: Applier, steady: Callable[[], float]) -> None:
        self._observer = observer
        self._applier = applier
        self._steady = steady
        self._secrets = PluginSecrets(observer.secrets, steady)
        self._refusals = Refusals()
        self._wrote: dict[Key, tuple[str, float]] = {}

    async def reconcile(self, key: Key) -> float | None:
        await self._observer.catch_up(key)
        found = self._observer.job(key)
        if found is None:
            self._refusals.forget(key)
            self._wrote.pop(key, None)
            self._secrets.forget(key)
            return None
        _, job = found
        await self._secrets.look(key, job)
        keypair = await self._keypair(job)
        try:
            again = await decide_and_apply(
                self._applier, self._refusals, JOB, key, lambda refusals: self._decided(key, refusals, keypair)
            )
        except StaleError:
            self._secrets.doubt(key)
            raise
        return min((wait for wait in (again, self._secrets.again(key, job)) if wait is not None), default=None)

    def _decided(self, key: Key, refusals: Mapping[Child, Refusal], keypair: KeyPair | None) -> tuple[Body, Decision]:
        found = self._observer.job(key)
        if found is None:
            return {}, Decision()
        body, job = found
        now = self._steady()
        uid, wrote_at = self._wrote.get(key, ("", now))
        if uid != job.metadata.uid:
            self._wrote[key] = (job.metadata.uid, wrote_at := now)
        decision = decide(self._observer.seen(body, job, refusals, keypair, now - wrote_at))
        if decision.status is not None:
            self._wrote[key] = (job.metadata.uid, self._steady())
        return body, decision

    async def _keypair(self, job: Job) -> KeyPair | None:
        """Drawn in a thread when a plugin needs one that is not stored yet."""
        if not job.spec.plugins or job.status.state.phase in STOPPED or job.metadata.deletion_timestamp:
            return None
        if not needs_keypair(job_shape(named(job, wanted(job))), self._observer.plugin_objects(job)):
            return None
        return await asyncio.to_thread(new_keypair)


def build(context: ControllerContext) -> Controller:
    observer = Observer(context)
    owner = its_controller(JOB)
    children: tuple[Cache, ...] = (observer.pods, observer.groups)
    return Controller(
        name="job",
        queue=WorkQueue("job"),
        reconciler=JobReconciler(observer, context.applier, context.steady),
        routes=(
            Route(observer.jobs, itself, own_writes=False),
            *(Route(cache, owner, own_writes=False) for cache in (*children, *observer.watched.values())),
            *(Route(cache, gone(owner)) for cache in children),
            Route(observer.commands, command_wakes),
            Route(observer.queues, _queue_wakes(observer.jobs)),
            Route(observer.claims, _claim_wakes(observer.jobs), own_writes=False),
        ),
        primary=observer.jobs,
    )
