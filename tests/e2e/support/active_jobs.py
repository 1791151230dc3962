"""How many Jobs of a namespace had unfinished pods at the same time, by the order in which the API server tells them."""

from local.client.blocking import BlockingClient
from shared.kinds import POD
from shared.model.types import Body
from tests.e2e.support.namespace_watch import NamespaceWatch


class ActiveJobs(NamespaceWatch):
    """`most`: the largest number of Jobs with unfinished pods; pods that are being deleted do not count."""

    def __init__(self, kube: BlockingClient, namespace: str) -> None:
        super().__init__(kube, POD, namespace)
        self._unfinished: dict[str, str] = {}
        self.most = 0
        self.jobs: set[str] = set()

    def _note(self, body: Body, *, deleted: bool = False) -> None:
        metadata, phase = body["metadata"], (body.get("status") or {}).get("phase")
        job = (metadata.get("labels") or {}).get("volcano.sh/job-name", "")
        if deleted or phase in ("Succeeded", "Failed") or metadata.get("deletionTimestamp"):
            self._unfinished.pop(metadata["uid"], None)
        else:
            self._unfinished[metadata["uid"]] = job
            self.jobs.add(job)
        self.most = max(self.most, len(set(self._unfinished.values())))
