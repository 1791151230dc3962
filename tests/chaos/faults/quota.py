"""What the cluster itself refuses for a while: a quota of Jobs, pods or PodGroups, and a closed queue."""

from random import Random
from typing import Any, Final

from shared.actions.commands import command_for
from shared.kinds import QUEUE, RESOURCEQUOTA
from shared.model.phases import QueueAction, QueueState
from tests.chaos.faults.fault import ChaosFault, FaultParameters, ScheduledFaultView


def _draw(chance: Random) -> FaultParameters:
    return {"what": chance.choice(("count/jobs.batch.volcano.sh", "pods")), "hard": chance.randint(0, 2)}


def _draw_groups(chance: Random) -> FaultParameters:
    return {"what": "count/podgroups.scheduling.volcano.sh", "hard": chance.randint(0, 2)}


def _draw_queue(chance: Random) -> FaultParameters:
    return {"queue": chance.choice(("default", "bounded"))}


def _close(cluster: Any, scheduled: ScheduledFaultView) -> None:
    _command(cluster, scheduled, QueueAction.CLOSE_QUEUE)


def _open(cluster: Any, scheduled: ScheduledFaultView) -> None:
    state = (cluster.kube.get(QUEUE, "", scheduled.parameters["queue"]).get("status") or {}).get("state")
    cluster.injected[scheduled.key] += state in (QueueState.CLOSED, QueueState.CLOSING)
    _command(cluster, scheduled, QueueAction.OPEN_QUEUE)


def _command(cluster: Any, scheduled: ScheduledFaultView, action: QueueAction) -> None:
    queue = cluster.kube.get(QUEUE, "", scheduled.parameters["queue"])
    target = {**queue, "apiVersion": QUEUE.api_version, "kind": QUEUE.kind}
    name = f"{scheduled.key}-{action.lower()}"
    cluster.submit_at(0.0, [command_for(target, action, "chaos", "default", name=name)])


def _inject(cluster: Any, scheduled: ScheduledFaultView) -> None:
    meta = {"name": scheduled.key, "namespace": cluster.namespace_of_run}
    spec = {"hard": {scheduled.parameters["what"]: str(scheduled.parameters["hard"])}}
    cluster.kube.apply(RESOURCEQUOTA, {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": spec})


def _recover(cluster: Any, scheduled: ScheduledFaultView) -> None:
    cluster.injected[scheduled.key] += cluster.refused()
    cluster.kube.delete(RESOURCEQUOTA, cluster.namespace_of_run, scheduled.key)


FAULTS: Final = (
    ChaosFault("quota", _draw, _inject, _recover),
    ChaosFault("podgroup-quota", _draw_groups, _inject, _recover),
    ChaosFault("closed-queue", _draw_queue, _close, _open),
)
