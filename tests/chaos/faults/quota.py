"""What administrators set while work runs: a quota of Jobs, pods or PodGroups, a closed queue, a LimitRange, and a limit on
active Jobs."""

from concurrent.futures import Future
from random import Random
from typing import Any, Final

from shared.actions.commands import command_for
from shared.kinds import EVENT, JOBFLOWPOLICY, LIMITRANGE, POD, QUEUE, RESOURCEQUOTA
from shared.model.phases import QueueAction, QueueState
from tests.chaos.faults.fault import ChaosFault, FaultParameters, ScheduledFaultView

_MEMORY: Final = "1Mi"
_HELD: Final = "QuotaExceeded"


def _draw(chance: Random) -> FaultParameters:
    return {"what": chance.choice(("count/jobs.batch.volcano.sh", "pods")), "hard": chance.randint(0, 2)}


def _draw_groups(chance: Random) -> FaultParameters:
    return {"what": "count/podgroups.scheduling.volcano.sh", "hard": chance.randint(0, 2)}


def _draw_queue(chance: Random) -> FaultParameters:
    return {"queue": chance.choice(("default", "bounded"))}


def _close(cluster: Any, scheduled: ScheduledFaultView) -> None:
    cluster.begun[scheduled.key] = _command(cluster, scheduled, QueueAction.CLOSE_QUEUE)


def _open(cluster: Any, scheduled: ScheduledFaultView) -> None:
    state = (cluster.kube.get(QUEUE, "", scheduled.parameters["queue"]).get("status") or {}).get("state")
    cluster.injected[scheduled.key] += state in (QueueState.CLOSED, QueueState.CLOSING)
    _command(cluster, scheduled, QueueAction.OPEN_QUEUE, cluster.begun.pop(scheduled.key))


def _command(
    cluster: Any, scheduled: ScheduledFaultView, action: QueueAction, after: Future[None] | None = None
) -> Future[None]:
    """Submit the Command, not before the submission `after` has ended."""
    queue = cluster.kube.get(QUEUE, "", scheduled.parameters["queue"])
    target = {**queue, "apiVersion": QUEUE.api_version, "kind": QUEUE.kind}
    name = f"{scheduled.key}-{action.lower()}"
    command = command_for(target, action, "chaos", "default", name=name)
    submitted: Future[None] = cluster.submit_at(0.0, [command], after)
    return submitted


def _inject(cluster: Any, scheduled: ScheduledFaultView) -> None:
    meta = {"name": scheduled.key, "namespace": cluster.namespace_of_run}
    spec = {"hard": {scheduled.parameters["what"]: str(scheduled.parameters["hard"])}}
    cluster.kube.apply(RESOURCEQUOTA, {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": spec})


def _recover(cluster: Any, scheduled: ScheduledFaultView) -> None:
    cluster.injected[scheduled.key] += cluster.refused()
    cluster.kube.delete(RESOURCEQUOTA, cluster.namespace_of_run, scheduled.key)


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
    cluster.begun[scheduled.key] = cluster.submit_at(0.0, [policy])


def _free_jobs(cluster: Any, scheduled: ScheduledFaultView) -> None:
    events = cluster.kube.list(EVENT, cluster.namespace_of_run)
    cluster.injected[scheduled.key] += sum(event["reason"] == _HELD for event in events)
    name = f"{cluster.namespace_of_run}-{scheduled.key}"
    cluster.delete_after(cluster.begun.pop(scheduled.key), JOBFLOWPOLICY, name)


FAULTS: Final = (
    ChaosFault("quota", _draw, _inject, _recover),
    ChaosFault("podgroup-quota", _draw_groups, _inject, _recover),
    ChaosFault("closed-queue", _draw_queue, _close, _open),
    ChaosFault("limit-range", lambda chance: {}, _limit_requests, _free_requests),
    ChaosFault("active-jobs", _draw_most, _limit_jobs, _free_jobs),
)
