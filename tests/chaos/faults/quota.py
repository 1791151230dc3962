"""A ResourceQuota refuses Jobs or pods for a while."""

from random import Random
from typing import Any, Final

from shared.kinds import RESOURCEQUOTA
from tests.chaos.faults.fault import ChaosFault, FaultParameters, ScheduledFaultView


def _draw(chance: Random) -> FaultParameters:
    return {"what": chance.choice(("count/jobs.batch.volcano.sh", "pods")), "hard": chance.randint(0, 2)}


def _inject(cluster: Any, scheduled: ScheduledFaultView) -> None:
    meta = {"name": scheduled.key, "namespace": cluster.namespace_of_run}
    spec = {"hard": {scheduled.parameters["what"]: str(scheduled.parameters["hard"])}}
    cluster.kube.apply(RESOURCEQUOTA, {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": spec})


def _recover(cluster: Any, scheduled: ScheduledFaultView) -> None:
    cluster.injected[scheduled.key] += cluster.refused()
    cluster.kube.delete(RESOURCEQUOTA, cluster.namespace_of_run, scheduled.key)


FAULT: Final = ChaosFault("quota", _draw, _inject, _recover)
