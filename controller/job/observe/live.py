"""Inputs of a Job that are not in caches: live reads and a generated key pair.

A decision is pure, so everything that takes a request or a thread is done here before it.
"""

import asyncio
from collections.abc import Callable

from controller.cluster.keypair import new_keypair
from controller.job.model.defaults import effective_spec
from controller.job.model.plugin_objects import plugin_job_of
from controller.job.model.pods_by_role import STOPPED
from controller.job.observe.caches import JobCaches
from controller.job.observe.plugin_secrets import PluginSecrets
from controller.job.observe.related import RelatedObjects
from controller.plugin_api import KeyPair
from controller.plugins import needs_keypair
from shared.key import Key
from shared.model.job import Job


class LiveInputs:
    """`steady`: seconds on a monotonic clock."""

    def __init__(self, caches: JobCaches, related: RelatedObjects, steady: Callable[[], float]) -> None:
        self._caches = caches
        self._related = related
        self._secrets = PluginSecrets(caches.secrets, steady)

    async def catch_up(self, key: Key) -> None:
        """Read the Job itself when a Command names another uid than the cached Job has. Raises ApiError."""
        await self._caches.commands.catch_up(self._caches.jobs, key)

    async def prepare(self, key: Key, job: Job) -> KeyPair | None:
        """Read the Job's Secrets, and generate the key pair that one of its plugins needs. Raises ApiError."""
        await self._secrets.read(key, job)
        return await asyncio.to_thread(new_keypair) if self._needs_keypair(job) else None

    def invalidate(self, key: Key) -> None:
        """Read the Job's Secrets again before its next decision."""
        self._secrets.invalidate(key)

    def next_read(self, key: Key, job: Job) -> float | None:
        """Seconds until the Job's Secrets must be read again, or None."""
        return self._secrets.next_read(key, job)

    def forget(self, key: Key) -> None:
        """The Job is gone."""
        self._secrets.forget(key)

    def _needs_keypair(self, job: Job) -> bool:
        if not job.spec.plugins or job.status.state.phase in STOPPED or job.metadata.deletion_timestamp:
            return False
        return needs_keypair(plugin_job_of(job, effective_spec(job)), self._related.plugin_objects(job))
