"""Jobs of pods that run until they are deleted, what is set for them, and what is seen of them."""

from collections import Counter
from collections.abc import Container, Mapping

from local.client.blocking import until
from local.cluster import LocalCluster
from shared.actions.commands import command_for
from shared.kinds import COMMAND, JOB, POD, PODGROUP, Kind
from shared.model.types import Body
from tests.e2e.support.pod_recorder import Check, PodStates


def job(namespace: str, name: str, pods: int = 1, minimum: int | None = None, **spec: object) -> Body:
    """Pods of one CPU that run until they are deleted."""
    container = {
        "name": "main",
        "image": "busybox",
        "command": ["sh", "-c", "sleep 4000"],
        "resources": {"requests": {"cpu": "1"}},
    }
    pod = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}
    task = {"name": "w", "replicas": pods, "template": {"spec": pod}}
    whole = {"minAvailable": pods if minimum is None else minimum, "tasks": [task], **spec}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": JOB.api_version, "kind": "Job", "metadata": metadata, "spec": whole}


def quota(namespace: str, **hard: str) -> Body:
    metadata = {"name": "quota", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}}


def command(cluster: LocalCluster, kind: Kind, namespace: str, name: str, action: str) -> None:
    """Create a Command for the object. `namespace`: "" for a Queue."""
    target = {**cluster.kube.get(kind, namespace, name), "apiVersion": kind.api_version, "kind": kind.kind}
    cluster.kube.create(COMMAND, command_for(target, action, "limits", namespace or "default"))


def delete_jobs(cluster: LocalCluster, namespace: str) -> None:
    for each in cluster.kube.list(JOB, namespace):
        cluster.kube.delete(JOB, namespace, each["metadata"]["name"])
    until(lambda: not cluster.kube.list(POD, namespace), 60, lambda: "pods stay")
    until(lambda: not cluster.kube.list(PODGROUP, namespace), 60, lambda: "PodGroups stay")


def free_pods(cluster: LocalCluster, namespace: str, without: Container[str] = ()) -> Counter[str]:
    """Pods without gate by Job, but for those whose uid is in `without`."""
    pods = [pod for pod in cluster.kube.list(POD, namespace) if pod["metadata"]["uid"] not in without]
    return Counter(
        pod["metadata"]["labels"]["volcano.sh/job-name"] for pod in pods if not pod["spec"].get("schedulingGates")
    )


def running(cluster: LocalCluster, namespace: str) -> int:
    """Pods that a node runs. A pod without node is gone as soon as it is deleted, without its grace period."""
    return sum((pod.get("status") or {}).get("phase") == "Running" for pod in cluster.kube.list(POD, namespace))


def message(cluster: LocalCluster, namespace: str, name: str) -> str:
    state = (cluster.kube.get(JOB, namespace, name).get("status") or {}).get("state") or {}
    return f"{state.get('phase')}/{state.get('reason')}: {state.get('message')}"


def starts(cluster: LocalCluster, namespace: str, name: str, pods: int, seconds: float = 60) -> None:
    """Wait until so many pods of the Job have no gate."""
    until(lambda: free_pods(cluster, namespace)[name] == pods, seconds, lambda: message(cluster, namespace, name))


def says(cluster: LocalCluster, namespace: str, name: str, text: str, seconds: float = 30) -> None:
    """Wait until the Job's message has the text."""
    until(lambda: text in message(cluster, namespace, name), seconds, lambda: message(cluster, namespace, name))


def whole_gangs(minimums: Mapping[str, int]) -> Check:
    """Of each Job, at least its minimum exists whenever a pod of it is without gate, unless its pods are being deleted."""

    def check(pods: PodStates) -> str:
        for name, minimum in list(minimums.items()):
            own = [pod for pod in pods.values() if pod.job == name]
            current = [pod for pod in own if not pod.terminating]
            if any(pod.free for pod in current) and len(current) < minimum and len(own) == len(current):
                return f"{name}: {len(current)} of {minimum} pods exist, and one is without gate"
        return ""

    return check
