"""What operators do to a cluster in use: nodes are cordoned, pods are evicted, and Commands are sent again and again."""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from local.client.rest import RestError
from shared.actions.commands import command_for
from shared.kinds import JOBFLOW, NODE, POD
from shared.model.phases import FlowAction
from shared.model.types import Body
from shared.names import JOB_NAME
from tests.chaos.faults.fault import ChaosFault, FaultParameters, ScheduledFaultView
from tests.chaos.workloads import EVICTED


def _draw_nodes(chance: Random) -> FaultParameters:
    return {"nodes": chance.randint(1, 4)}


def _cordon(cluster: Any, scheduled: ScheduledFaultView) -> None:
    for node in cluster.kube.list(NODE)[: scheduled.parameters["nodes"]]:
        cluster.kube.patch(NODE, "", node["metadata"]["name"], {"spec": {"unschedulable": True}})


def _uncordon(cluster: Any, scheduled: ScheduledFaultView) -> None:
    for node in cluster.kube.list(NODE):
        if node["spec"].get("unschedulable"):
            cluster.injected[scheduled.key] += 1
            cluster.kube.patch(NODE, "", node["metadata"]["name"], {"spec": {"unschedulable": None}})


def _evictable(cluster: Any) -> Iterator[Body]:
    """Running pods of Jobs that start an evicted pod again."""
    for pod in cluster.kube.list(POD, cluster.namespace_of_run):
        job = (pod["metadata"].get("labels") or {}).get(JOB_NAME, "")
        if job.startswith(EVICTED) and pod["status"].get("phase") == "Running":
            yield pod


def _evict(cluster: Any, scheduled: ScheduledFaultView) -> None:
    """When the fault begins and when it ends: between the two the Job starts its pods again."""
    for pod in _evictable(cluster):
        name, namespace = pod["metadata"]["name"], cluster.namespace_of_run
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
        try:
            cluster.kube.request("POST", f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", body)
            cluster.injected[scheduled.key] += 1
        except RestError as error:
            if error.code != 404:  # it has ended meanwhile
                raise


def _suspend(cluster: Any, scheduled: ScheduledFaultView) -> None:
    commands = _commands(cluster, scheduled, "0", (FlowAction.SUSPEND,) * 2)
    cluster.injected[scheduled.key] += len(commands)
    cluster.begun[scheduled.key] = cluster.submit_at(0.0, commands)


def _resume(cluster: Any, scheduled: ScheduledFaultView) -> None:
    actions = (FlowAction.RESUME, FlowAction.SUSPEND, FlowAction.RESUME, FlowAction.RESUME)
    cluster.submit_at(0.0, _commands(cluster, scheduled, "1", actions), cluster.begun.pop(scheduled.key))


def _commands(cluster: Any, scheduled: ScheduledFaultView, turn: str, actions: tuple[FlowAction, ...]) -> list[Body]:
    """The actions for each flow of the run, in this order by name."""
    namespace, made = cluster.namespace_of_run, []
    for flow in cluster.kube.list(JOBFLOW, namespace):
        target = {**flow, "apiVersion": JOBFLOW.api_version, "kind": JOBFLOW.kind}
        for place, action in enumerate(actions):
            name = f"{flow['metadata']['name']}-{scheduled.key}-{turn}-{place}"
            made.append(command_for(target, action, "chaos", namespace, name=name))
    return made


FAULTS: Final = (
    ChaosFault("cordoned-nodes", _draw_nodes, _cordon, _uncordon),
    ChaosFault("evicted-pods", lambda chance: {}, _evict, _evict, lasts=(0.3, 1.5)),
    ChaosFault("repeated-commands", lambda chance: {}, _suspend, _resume),
)
