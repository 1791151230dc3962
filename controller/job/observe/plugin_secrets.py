"""The Secrets of Jobs' plugins. Each is read by name when it is needed; Secrets are neither listed nor watched.

What was read or written is trusted for TRUSTED seconds. A Secret that a user deletes or changes is therefore noticed
at the next pass after that time, and within a few minutes when pods are waiting.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from controller.job.model.defaults import effective_spec
from controller.job.model.plugin_objects import plugin_keys
from controller.job.model.pods_by_role import STOPPED
from shared.key import Key
from shared.kinds import SECRET
from shared.kube.cache.single_reads import SingleReads
from shared.model.job import Job

TRUSTED: Final = 30.0  # seconds for which the last read is trusted
WAITING: Final = 300.0  # pending pods may wait for a deleted Secret, and no watch reports it
TAKEN: Final = 2.0  # a Secret of another owner has the name; it may be deleted


class SecretsRead(msgspec.Struct, frozen=True):
    """The last read of a Job's Secrets. `restarts`: how often the Job or a part of it had been restarted by then."""

    uid: str
    names: tuple[str, ...]
    at: float
    restarts: int
    invalidated: bool = False


class PluginSecrets:
    """`steady`: seconds on a monotonic clock."""

    def __init__(self, secrets: SingleReads, steady: Callable[[], float]) -> None:
        self._secrets = secrets
        self._steady = steady
        self._last: dict[Key, SecretsRead] = {}

    async def read(self, key: Key, job: Job) -> None:
        """Read the Job's Secrets, if its phase needs them and what is known is too old. Raises ApiError."""
        if not job.spec.plugins or job.metadata.deletion_timestamp or self._is_known(key, job):
            return
        names = tuple(name for kind, name in plugin_keys(job, effective_spec(job)) if kind == SECRET.kind)
        for name in names:
            await self._secrets.read(key.namespace, name)
        self._last[key] = SecretsRead(job.metadata.uid, names, self._steady(), _restarts(job))

    def _is_known(self, key: Key, job: Job) -> bool:
        """A stopped Job needs no Secrets until it has ended; then they are deleted."""
        last, phase = self._last.get(key), job.status.state.phase
        if last is None or last.uid != job.metadata.uid or last.invalidated:
            return phase in STOPPED and phase is not None and not phase.finished
        trusted = TAKEN if self._is_taken(last, key, job) else TRUSTED
        fresh = last.restarts == _restarts(job) and self._steady() < last.at + trusted
        return fresh or phase in STOPPED

    def next_read(self, key: Key, job: Job) -> float | None:
        """Seconds until the Secrets must be read again, since no watch reports changes; None if they need not."""
        last = self._last.get(key)
        if last is None or not last.names or job.status.state.phase in STOPPED:
            return None
        if self._is_taken(last, key, job):
            return TAKEN
        return WAITING if job.status.pending else None

    def _is_taken(self, last: SecretsRead, key: Key, job: Job) -> bool:
        return any(self._is_foreign(key.namespace, name, job) for name in last.names)

    def _is_foreign(self, namespace: str, name: str, job: Job) -> bool:
        body = self._secrets.get(namespace, name)
        owners = body["metadata"].get("ownerReferences") or () if body else None
        return owners is not None and all(owner.get("uid") != job.metadata.uid for owner in owners)

    def invalidate(self, key: Key) -> None:
        """Read the Secrets again before the next decision, since the API server has contradicted what is known."""
        if last := self._last.get(key):
            self._last[key] = msgspec.structs.replace(last, invalidated=True)

    def forget(self, key: Key) -> None:
        """The Job is gone."""
        last = self._last.pop(key, None)
        for name in last.names if last else ():
            self._secrets.forget(key.namespace, name)


def _restarts(job: Job) -> int:
    """A number that grows whenever pods are created again."""
    return job.status.version + sum(record.retries for record in job.status.tasks)
