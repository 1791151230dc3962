"""The Jobs of the flows that are being reconciled, parsed once per version, and look-ups of objects by name."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from controller.jobflow.model.observed import ObservedJob, parse_job
from controller.owner_references import by_controller_uid
from shared.kinds import JOB
from shared.kube.cache.cache import Cache, Caches
from shared.model.types import Body

OWNER: Final = "owner"


class FlowJobs:
    """Loaded when a flow is first looked at, kept up by the cache's changes, dropped when the flow has ended."""

    def __init__(self, caches: Caches) -> None:
        self.cache: Cache = caches.want(JOB, indexers={OWNER: by_controller_uid})
        self._loaded: dict[str, dict[str, ObservedJob]] = {}
        self.cache.on_change(self._changed)

    def of(self, uid: str) -> Mapping[str, ObservedJob]:
        """The Jobs whose controller has this uid, by name."""
        known = self._loaded.get(uid)
        if known is None:
            known = {body["metadata"]["name"]: parse_job(body) for body in self.cache.by(OWNER, uid)}
            self._loaded[uid] = known
        return known

    def drop(self, uid: str) -> None:
        self._loaded.pop(uid, None)

    def _changed(self, old: Body | None, new: Body | None) -> None:
        body = new if new is not None else old
        if body is None:
            return
        owners = frozenset(by_controller_uid(body))
        for uid in owners:
            jobs = self._loaded.get(uid)
            if jobs is not None:
                self._note(jobs, parse_job(body), gone=new is None)
        for uid in frozenset(by_controller_uid(old)) - owners if old is not None else ():
            self._loaded.get(uid, {}).pop(body["metadata"]["name"], None)  # its owner reference was removed

    def _note(self, jobs: dict[str, ObservedJob], job: ObservedJob, *, gone: bool) -> None:
        if not gone:
            jobs[job.name] = job
        elif job.ended:  # its results may not be recorded yet
            jobs[job.name] = msgspec.structs.replace(job, deleting=True)
        else:
            jobs.pop(job.name, None)


class JobsByName(Mapping[str, ObservedJob]):
    """Any Job of a namespace by name, whoever owns it."""

    def __init__(self, cache: Cache, namespace: str, own: Mapping[str, ObservedJob]) -> None:
        self._cache = cache
        self._namespace = namespace
        self._own = own

    def __getitem__(self, name: str) -> ObservedJob:
        if name in self._own:
            return self._own[name]
        body = self._cache.get(self._namespace, name)
        if body is None:
            raise KeyError(name)
        return parse_job(body)

    def __iter__(self) -> Iterator[str]:
        return (key.name for key in self._cache.keys(self._namespace))

    def __len__(self) -> int:
        return len(self._cache.keys(self._namespace))


class Templates(Mapping[str, Body]):
    """The JobTemplates of a namespace by name."""

    def __init__(self, cache: Cache, namespace: str) -> None:
        self._cache = cache
        self._namespace = namespace

    def __getitem__(self, name: str) -> Body:
        body = self._cache.get(self._namespace, name)
        if body is None or "deletionTimestamp" in body["metadata"]:
            raise KeyError(name)
        return body

    def __iter__(self) -> Iterator[str]:
        return (key.name for key in self._cache.keys(self._namespace))

    def __len__(self) -> int:
        return len(self._cache.keys(self._namespace))


class QueueStates(Mapping[str, str]):
    """The states of queues by name; "" for one that has none yet. Empty where this process does not run Jobs."""

    def __init__(self, cache: Cache | None) -> None:
        self._cache = cache

    def __getitem__(self, name: str) -> str:
        body = self._cache.get("", name) if self._cache is not None else None
        if body is None:
            raise KeyError(name)
        return queue_state(body)

    def __iter__(self) -> Iterator[str]:
        return (key.name for key in self._cache or ())

    def __len__(self) -> int:
        return len(self._cache or ())


def queue_state(queue: Body) -> str:
    return str((queue.get("status") or {}).get("state") or "")
