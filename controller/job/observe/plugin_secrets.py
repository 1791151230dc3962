"""The Secrets of Jobs' plugins, each read by its name when it is needed: nobody's Secrets are listed or watched.

What a look or an own write has told is believed for a while. So it takes a moment until it is seen that somebody deleted
or changed such a Secret: until the next pass after that while, and some minutes at most when pods are waiting.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from controller.job.children.plugin_objects import plugin_keys
from controller.job.decide.defaults import effective_spec
from controller.job.observe.pods_by_role import STOPPED
from shared.key import Key
from shared.kinds import SECRET
from shared.kube.cache.single_reads import SingleReads
from shared.model.job import Job

BELIEVED: Final = 30.0  # seconds for which passes take what was seen last for true
WAITING: Final = 300.0  # pods that wait may wait for a Secret that is gone: nobody would tell us
TAKEN: Final = 15.0  # somebody else's Secret has the name; it may go


class Looked(msgspec.Struct, frozen=True):
    """The last look at a Job's Secrets. `restarts`: how often the Job or a part of it had begun anew by then."""

    uid: str
    names: tuple[str, ...]
    at: float
    restarts: int
    doubted: bool = False


class PluginSecrets:
    """`steady`: seconds on a clock that nobody sets."""

    def __init__(self, secrets: SingleReads, steady: Callable[[], float]) -> None:
        self._secrets = secrets
        self._steady = steady
        self._looked: dict[Key, Looked] = {}

    async def look(self, key: Key, job: Job) -> None:
        """Know what there is of the Job's Secrets, as far as its phase needs them. Raises ApiError."""
        if not job.spec.plugins or job.metadata.deletion_timestamp or self._is_known(key, job):
            return
        names = tuple(name for kind, name in plugin_keys(job, effective_spec(job)) if kind == SECRET.kind)
        for name in names:
            await self._secrets.read(key.namespace, name)
        self._looked[key] = Looked(job.metadata.uid, names, self._steady(), _restarts(job))

    def _is_known(self, key: Key, job: Job) -> bool:
        """A Job that is stopped needs nothing until it has ended, and gives up then what there is."""
        looked, phase = self._looked.get(key), job.status.state.phase
        if looked is None or looked.uid != job.metadata.uid or looked.doubted:
            return phase in STOPPED and phase is not None and not phase.finished
        believed = TAKEN if self._is_taken(looked, key, job) else BELIEVED
        fresh = looked.restarts == _restarts(job) and self._steady() < looked.at + believed
        return fresh or phase in STOPPED

    def again(self, key: Key, job: Job) -> float | None:
        """Seconds after which to look again though nobody tells of a change; None for no such need."""
        looked = self._looked.get(key)
        if looked is None or not looked.names or job.status.state.phase in STOPPED:
            return None
        if self._is_taken(looked, key, job):
            return TAKEN
        return WAITING if job.status.pending else None

    def _is_taken(self, looked: Looked, key: Key, job: Job) -> bool:
        return any(self._is_foreign(key.namespace, name, job) for name in looked.names)

    def _is_foreign(self, namespace: str, name: str, job: Job) -> bool:
        body = self._secrets.get(namespace, name)
        owners = body["metadata"].get("ownerReferences") or () if body else None
        return owners is not None and all(owner.get("uid") != job.metadata.uid for owner in owners)

    def doubt(self, key: Key) -> None:
        """Something is not as it was believed to be: look before the next decision."""
        if looked := self._looked.get(key):
            self._looked[key] = msgspec.structs.replace(looked, doubted=True)

    def forget(self, key: Key) -> None:
        """The Job is gone."""
        looked = self._looked.pop(key, None)
        for name in looked.names if looked else ():
            self._secrets.forget(key.namespace, name)


def _restarts(job: Job) -> int:
    """Grows with everything after which pods are made anew."""
    return job.status.version + sum(record.retries for record in job.status.tasks)
