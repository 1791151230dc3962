"""Reads the caches and builds what deciding about a Job looks at."""

import logging
from collections.abc import Mapping
from typing import Final

import msgspec

from controller.context import ControllerContext
from controller.decision import Refusal
from controller.job.model.defaults import is_managed_elsewhere
from controller.job.model.observed import JobObservation, PodObservation, job_settings, observe_pod, on_missing_node
from controller.job.observe.caches import OWNER, JobCaches
from controller.job.observe.job_quotas import job_quotas
from controller.job.observe.live import LiveInputs
from controller.job.observe.models import parsed_job
from controller.job.observe.quota_order import QuotaOrder
from controller.job.observe.related import RelatedObjects
from controller.plugin_api import KeyPair
from shared.key import Key
from shared.kinds import Kind
from shared.model.job import Job
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)
KEPT_PODS: Final = 16  # Jobs with more pods keep them parsed between passes


class JobObserver:
    """Caches -> JobObservation. Remembers which Jobs wait for quota. `quotas`: the book of the quotas of policies."""

    def __init__(self, caches: JobCaches, context: ControllerContext) -> None:
        self._caches = caches
        self._related = RelatedObjects(caches)
        self._live = LiveInputs(caches, self._related, context.steady)
        self._settings = job_settings(context.settings.depends_on_condition, context.gang)
        self._clock = context.clock
        self._quota_order = QuotaOrder()
        self.quotas = job_quotas(context.caches, caches.jobs, context.clock)
        self._keypairs: dict[Key, KeyPair] = {}
        self._parsed: dict[Key, dict[str, tuple[str, PodObservation | None]]] = {}

    def job(self, key: Key) -> tuple[Body, Job] | None:
        """The stored Job and its model; None when it is gone, cannot be read, or another controller runs it."""
        body = self._caches.jobs.get(*key)
        if body is None:
            self._parsed.pop(key, None)
            self._quota_order.forget(key)
            return None
        try:
            job = parsed_job(body)
            return None if is_managed_elsewhere(job) else (body, job)
        except msgspec.ValidationError as fault:
            LOG.warning("a Job that cannot be read is left alone", extra={"key": str(key), "error": str(fault)})
            return None

    async def prepare(self, key: Key) -> None:
        """Make the live reads that the Job needs, and generate the key pair that one of its plugins needs. Raises ApiError."""
        await self._live.catch_up(key)
        found = self.job(key)
        if found is None:
            self._live.forget(key)
        keypair = await self._live.prepare(key, found[1]) if found else None
        if keypair is None:
            self._keypairs.pop(key, None)
        else:
            self._keypairs[key] = keypair

    def invalidate(self, key: Key) -> None:
        """Make the live reads again before the Job's next decision."""
        self._live.invalidate(key)

    def next_read(self, key: Key) -> float | None:
        """Seconds until a live read is due, or None."""
        found = self.job(key)
        return self._live.next_read(key, found[1]) if found else None

    def observed(
        self,
        body: Body,
        job: Job,
        refusals: Mapping[tuple[Kind, str], Refusal],
        wrote_ago: float,
    ) -> JobObservation:
        """Everything that deciding about the Job may look at. `wrote_ago`: see JobObservation."""
        key = Key(job.metadata.namespace, job.metadata.name)
        observed = JobObservation(
            job=job,
            body=body,
            now=self._clock(),
            pods=self._pods(key, job.metadata.uid),
            group=self._related.group(job),
            claims=frozenset(self._related.claims(job)),
            objects=self._related.plugin_objects(job),
            keypair=self._keypairs.get(key),
            commands=tuple(self._related.commands(key)),
            queue=self._related.queue(job),
            refusals=refusals,
            allowed=self._related.allowed(key.namespace) if refusals else {},
            priorities=self._related.priorities(job),
            place=self.quotas.place(key, body),
            wrote_ago=wrote_ago,
            settings=self._settings,
        )
        return msgspec.structs.replace(observed, quota_ahead=self._quota_order.update(key, observed))

    def _pods(self, key: Key, uid: str) -> tuple[PodObservation, ...]:
        """The Job's pods, parsed once per version, since large Jobs are looked at often."""
        before, after = self._parsed.get(key, {}), {}
        for body in self._caches.pods.by(OWNER, uid):
            metadata = body["metadata"]
            known = before.get(metadata["uid"])
            version = metadata.get("resourceVersion", "")
            after[metadata["uid"]] = known if known and known[0] == version else (version, observe_pod(body))
        if len(after) > KEPT_PODS:
            self._parsed[key] = after
        else:
            self._parsed.pop(key, None)
        return tuple(self._on_its_node(pod) for _, pod in after.values() if pod is not None)

    def _on_its_node(self, pod: PodObservation) -> PodObservation:
        known = not pod.node or self._caches.nodes.has("", pod.node)
        return pod if known else on_missing_node(pod)
