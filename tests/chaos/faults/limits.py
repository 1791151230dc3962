"""Limits that administrators set while work runs: requests that a LimitRange adds, and a limit on active Jobs."""

from random import Random
from typing import Any, Final

from shared.kinds import EVENT, JOBFLOWPOLICY, LIMITRANGE, POD
from tests.chaos.faults.fault import ChaosFault, FaultParameters, ScheduledFaultView

_MEMORY: Final = "1Mi"
_HELD: Final = "QuotaExceeded"


def _draw_most(chance: Random) -> FaultParameters:
    return {"most": chance.randint(1, 2)}


def _limit_requests(cluster: Any, scheduled: ScheduledFaultView) -> None:
    limits = [{"type": "Container", "defaultRequest": {"memory": _MEMORY}, "default": {"memory": "1Gi"}}]
    meta = {"name": scheduled.key, "namespace": cluster.namespace_of_run}
    body = {"apiVersion": "v1", "kind": "LimitRange", "metadata": meta, "spec": {"limits": limits}}
    cluster.kube.apply(LIMITRANGE, body)


def _free_requests(cluster: Any, scheduled: ScheduledFaultView) -> None:
    for pod in cluster.kube.list(POD, cluster.namespace_of_run):
        requests = (pod["spec"]["containers"][0].get("resources") or {}).get("requests") or {}
        cluster.injected[scheduled.key] += requests.get("memory") == _MEMORY
    cluster.kube.delete(LIMITRANGE, cluster.namespace_of_run, scheduled.key)


def _limit_jobs(cluster: Any, scheduled: ScheduledFaultView) -> None:
    here = {"matchLabels": {"kubernetes.io/metadata.name": cluster.namespace_of_run}}
    limits = {"maxActiveJobs": scheduled.parameters["most"], "maxHeldJobs": 1000}
    meta = {"name": f"{cluster.namespace_of_run}-{scheduled.key}"}
    spec = {"match": {"namespaceSelector": here}, "limits": limits}
    policy = {"apiVersion": JOBFLOWPOLICY.api_version, "kind": "JobFlowPolicy", "metadata": meta, "spec": spec}
    cluster.policies[scheduled.key] = cluster.submit_at(0.0, [policy])


def _free_jobs(cluster: Any, scheduled: ScheduledFaultView) -> None:
    events = cluster.kube.list(EVENT, cluster.namespace_of_run)
    cluster.injected[scheduled.key] += sum(event["reason"] == _HELD for event in events)
    name = f"{cluster.namespace_of_run}-{scheduled.key}"
    cluster.delete_after(cluster.policies.pop(scheduled.key), JOBFLOWPOLICY, name)


FAULTS: Final = (
    ChaosFault("limit-range", lambda chance: {}, _limit_requests, _free_requests),
    ChaosFault("active-jobs", _draw_most, _limit_jobs, _free_jobs),
)
