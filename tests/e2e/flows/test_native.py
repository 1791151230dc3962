"""Kubernetes' own gangs. On a real control plane kube-scheduler binds them (alpha, of Kubernetes 1.36); the embedded
server has the two kinds of v1beta1 as custom resources, and shows what is asked of the scheduler."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from controller.gang.backends.workload import group_kind, workload_kind
from local.backends import EmbeddedBackend, RealBackend, chosen
from local.client.blocking import until
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import CRD, JOB, POD, PODGROUP
from shared.model.types import Body

GATES: Final = "--feature-gates=GenericWorkload=true,GangScheduling=true"
ALPHA: Final = (
    "--apiserver-arg=--runtime-config=scheduling.k8s.io/v1alpha2=true",
    *(f"--{process}-arg={GATES}" for process in ("apiserver", "manager", "scheduler")),
)


@pytest.fixture(scope="module")
def version(request: pytest.FixtureRequest) -> str:
    return "v1alpha2" if isinstance(backend(request), RealBackend) else "v1beta1"


@pytest.fixture(scope="module")
def native(request: pytest.FixtureRequest, version: str) -> Iterator[LocalCluster]:
    """Three nodes of five CPUs: room for fifteen."""
    on = backend(request)
    nodes = ["--no-scheduler"] if isinstance(on, RealBackend) else []
    options = ClusterOptions(nodes=3, cpu="5", speed=8.0, nodes_args=nodes, controller=False)
    with LocalCluster(on, options) as cluster:
        if isinstance(on, EmbeddedBackend):
            cluster.apply(
                *(served(kind.kind, kind.plural, version) for kind in (workload_kind(version), group_kind(version)))
            )
            for plural in ("workloads", "podgroups"):
                cluster.kube.wait(CRD, "", f"{plural}.scheduling.k8s.io", is_established)
        chosen_backend = "auto" if version == "v1beta1" else "native"
        cluster.start_controller(more=[f"--gang-backend={chosen_backend}", "--no-leader-elect"])
        cluster.await_ready("controller")
        yield cluster


def backend(request: pytest.FixtureRequest) -> EmbeddedBackend | RealBackend:
    found = chosen(request.config.getoption("--backend"), request.config.getoption("--kubeconfig"))
    return (
        RealBackend(found.assets, scheduler=True, arguments=ALPHA)
        if isinstance(found, RealBackend)
        else EmbeddedBackend()
    )


def served(kind: str, plural: str, version: str) -> Body:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    metadata = {
        "name": f"{plural}.scheduling.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
    }
    spec = {
        "group": "scheduling.k8s.io",
        "scope": "Namespaced",
        "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
        "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
    }
    return {"apiVersion": CRD.api_version, "kind": CRD.kind, "metadata": metadata, "spec": spec}


def is_established(definition: Body) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def gang(namespace: str, name: str, replicas: int, command: str, *, cpu: str = "1", **spec: Any) -> Body:
    requests = {"requests": {"cpu": cpu}}
    container = {"name": "main", "image": "busybox", "command": ["sh", "-c", command], "resources": requests}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    tasks = [{"name": "w", "replicas": replicas, "template": template}]
    body = {"apiVersion": JOB.api_version, "kind": "Job", "metadata": {"name": name, "namespace": namespace}}
    return {**body, "spec": {"minAvailable": replicas, "tasks": tasks, **spec}}


def group_of(cluster: LocalCluster, namespace: str, job: str) -> Body | None:
    """Our PodGroup."""
    return next(
        (each for each in cluster.kube.list(PODGROUP, namespace) if each["metadata"]["name"].startswith(job)), None
    )


def stands_for(cluster: LocalCluster, version: str, group: Body) -> bool:
    """Whether both of Kubernetes' objects exist for this group, with its minimum."""
    metadata, counts = group["metadata"], []
    for kind in (workload_kind(version), group_kind(version)):
        body = cluster.kube.find(kind, metadata["namespace"], metadata["name"])
        if body is None or body["metadata"]["ownerReferences"][0]["uid"] != metadata["uid"]:
            return False
        policies = body["spec"].get("podGroupTemplates") or [body["spec"]]
        counts += [each["schedulingPolicy"]["gang"]["minCount"] for each in policies]
    return counts == [group["spec"]["minMember"]] * 2


def bound(cluster: LocalCluster, namespace: str, job: str) -> int:
    pods = cluster.kube.list(POD, namespace, f"volcano.sh/job-name={job}")
    return sum(bool(pod["spec"].get("nodeName")) for pod in pods)


def phase(cluster: LocalCluster, namespace: str, job: str) -> str:
    status = (cluster.kube.find(JOB, namespace, job) or {}).get("status") or {}
    return str((status.get("state") or {}).get("phase", ""))


def test_pods_name_a_gang_that_lives_as_long_as_their_job_runs(native: LocalCluster, version: str) -> None:
    with native.namespace("native-life") as namespace:
        native.apply(gang(namespace, "first", 10, "sleep 20"))
        group = until(lambda: group_of(native, namespace, "first"), 30, lambda: "no PodGroup")
        until(lambda: stands_for(native, version, group), 30, lambda: "no Workload and PodGroup of Kubernetes")
        until(lambda: bound(native, namespace, "first") == 10, 60, lambda: "not bound")
        name = group["metadata"]["name"]
        for pod in native.kube.list(POD, namespace):
            assert pod["spec"]["schedulingGroup"] == {"podGroupName": name}
        until(lambda: phase(native, namespace, "first") == "Completed", 60, lambda: "does not end")
        for kind in (workload_kind(version), group_kind(version)):
            native.kube.wait_gone(kind, namespace, name)


def test_a_restarted_job_has_a_new_gang(native: LocalCluster, version: str) -> None:
    """Its group has the name of the first one, which Kubernetes protects until the last pod is gone."""
    with native.namespace("native-again") as namespace:
        policies = [{"event": "PodFailed", "action": "RestartJob"}]
        native.apply(gang(namespace, "again", 3, "sleep 8; exit 1", policies=policies, maxRetry=1))
        first = until(lambda: group_of(native, namespace, "again"), 30, lambda: "no PodGroup")["metadata"]["uid"]

        def renewed() -> bool:
            group = group_of(native, namespace, "again")
            return group is not None and group["metadata"]["uid"] != first and bound(native, namespace, "again") == 3

        until(renewed, 90, lambda: f"does not run again: {phase(native, namespace, 'again')}")
        until(lambda: phase(native, namespace, "again") == "Failed", 90, lambda: "continues")


def test_a_gang_that_kubernetes_cannot_place_waits_as_a_whole_and_reports_it(
    native: LocalCluster, version: str
) -> None:
    with native.namespace("native-large") as namespace:
        native.apply(gang(namespace, "never", 2, "sleep 8", cpu="6"))

        def reported() -> str:
            status = native.kube.get(JOB, namespace, "never").get("status") or {}
            return str((status.get("state") or {}).get("message", ""))

        until(lambda: "not bound to nodes: " in reported(), 90, reported)
        assert bound(native, namespace, "never") == 0
        native.kube.delete(JOB, namespace, "never")
        until(lambda: not native.kube.list(group_kind(version), namespace), 60, lambda: "its gang stays")
