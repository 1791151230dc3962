"""Pods of a flow's Jobs: from the cache where this process runs Jobs, else read when they are needed."""

from controller.context import ControllerContext
from controller.jobflow.model.observed import ObservedChild, PodResults
from controller.jobflow.model.pod_results import PodAddress, addresses, left_behind
from controller.owner_references import by_controller_uid
from shared.kinds import JOB, POD
from shared.model.types import Body
from shared.names import JOB_NAME

OWNER = "owner"


class FlowPodLookup:
    def __init__(self, context: ControllerContext) -> None:
        self._api = context.api
        self._caches = context.caches
        own_jobs = context.settings.job_controller
        self._cache = context.caches.want(POD, indexers={OWNER: by_controller_uid}) if own_jobs else None

    async def of(self, namespace: str, job: ObservedChild, *, live: bool) -> PodResults:
        """Results of an ended Job's pods. `live`: read them from the API server, since the cache may lack some."""
        if self._cache is not None and not live:
            return left_behind(self._cache.by(OWNER, job.uid))
        return left_behind(await self._read(namespace, job.name, job.uid))

    async def addresses(self, namespace: str, job_name: str, task: str) -> list[PodAddress]:
        """Where the running pods of a Job's task listen."""
        jobs = self._caches.of(JOB)
        body = jobs.get(namespace, job_name) if jobs is not None else None
        uid = body["metadata"]["uid"] if body else ""
        if self._cache is not None:
            return addresses(self._cache.by(OWNER, uid), task)
        return addresses(await self._read(namespace, job_name, uid), task)

    async def _read(self, namespace: str, job: str, uid: str) -> list[Body]:
        pods = self._api.list(POD, namespace, label_selector=f"{JOB_NAME}={job}")
        return [pod async for pod in pods if uid in by_controller_uid(pod)]
