"""A namespace is deleted while a flow runs in it: nothing in it may stay, and other namespaces are not affected."""

from random import Random
from typing import Any, Final

from shared.kinds import NAMESPACE
from tests.chaos import workloads
from tests.chaos.faults.fault import ChaosFault, FaultParameters, ScheduledFaultView


def _draw(chance: Random) -> FaultParameters:
    return {"workload": chance.choice(sorted(workloads.WORKLOADS)), "seed": chance.randrange(1000)}


def _inject(cluster: Any, scheduled: ScheduledFaultView) -> None:
    name = cluster.extra_namespace(scheduled.key)
    made = workloads.WORKLOADS[scheduled.parameters["workload"]](name, "deleted", Random(scheduled.parameters["seed"]))
    cluster.submit_at(0.0, made.objects)


def _recover(cluster: Any, scheduled: ScheduledFaultView) -> None:
    name = cluster.deleted_namespaces[scheduled.key]
    cluster.injected[scheduled.key] += cluster.unfinished(name)
    cluster.kube.delete(NAMESPACE, "", name)


FAULT: Final = ChaosFault("namespace-deletion", _draw, _inject, _recover)
