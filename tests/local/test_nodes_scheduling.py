"""On which node the simulated scheduler places pods, and its message if there is none."""

from decimal import Decimal
from typing import Any

import pytest

from local.nodes.scheduler.fit import claim_obstacle, obstacle
from local.nodes.scheduler.resources import amounts, quantity, requests
from local.nodes.scheduler.scheduler import choose
from shared.model.types import Body

FREE = amounts({"cpu": "4", "memory": "8Gi", "pods": "10"})
TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}


def a_pod(cpu: str = "1", **spec: Any) -> Body:
    container = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
    return {"metadata": {"name": "p"}, "spec": {"containers": [container]} | spec}


def a_node(name: str = "n", labels: dict[str, str] | None = None, **spec: Any) -> Body:
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": spec}


def with_affinity(*expressions: Body) -> Body:
    terms = {"nodeSelectorTerms": [{"matchExpressions": list(expressions)}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}


FITTING = {
    "room enough": (a_pod("4"), a_node()),
    "the labels that its selector wants": (a_pod(nodeSelector={"zone": "a"}), a_node(labels={"zone": "a"})),
    "a taint it tolerates": (a_pod(tolerations=[{"key": "gpu", "operator": "Exists"}]), a_node(taints=[TAINT])),
    "a taint that only prefers": (a_pod(), a_node(taints=[TAINT | {"effect": "PreferNoSchedule"}])),
    "its affinity": (
        a_pod(**with_affinity({"key": "zone", "operator": "In", "values": ["a"]})),
        a_node(labels={"zone": "a"}),
    ),
}


@pytest.mark.parametrize(("pod", "node"), FITTING.values(), ids=FITTING)
def test_a_pod_fits_on_a_node_with(pod: Body, node: Body) -> None:
    assert obstacle(pod, node, FREE) == ""


HINDERED = {
    "too little CPU": (a_pod("5"), a_node(), "Insufficient cpu"),
    "a cordon": (a_pod(), a_node(unschedulable=True), "node(s) were unschedulable"),
    "other labels": (
        a_pod(nodeSelector={"zone": "b"}),
        a_node(labels={"zone": "a"}),
        "node(s) didn't match Pod's node affinity/selector",
    ),
    "a taint": (a_pod(), a_node(taints=[TAINT]), "node(s) had untolerated taint(s) {gpu: yes}"),
    "an affinity to elsewhere": (
        a_pod(**with_affinity({"key": "zone", "operator": "NotIn", "values": ["a"]})),
        a_node(labels={"zone": "a"}),
        "node(s) didn't match Pod's node affinity/selector",
    ),
}


@pytest.mark.parametrize(("pod", "node", "why"), HINDERED.values(), ids=HINDERED)
def test_a_pod_does_not_fit_because_of(pod: Body, node: Body, why: str) -> None:
    assert obstacle(pod, node, FREE) == why


def test_the_node_with_most_free_cpu_is_chosen() -> None:
    nodes = [a_node("small"), a_node("large")]
    free = {"small": amounts({"cpu": "2", "pods": "9"}), "large": amounts({"cpu": "3", "pods": "9"})}
    assert choose(a_pod(), nodes, free) == ("large", "")


def test_a_pod_that_fits_nowhere_gets_the_reasons_of_all_nodes() -> None:
    nodes = [a_node("one"), a_node("two"), a_node("off", unschedulable=True)]
    free = {name: amounts({"cpu": "1", "pods": "9"}) for name in ("one", "two", "off")}
    reported = "0/3 nodes are available: 2 Insufficient cpu, 1 node(s) were unschedulable."
    assert choose(a_pod("2"), nodes, free) == ("", reported)


def test_a_pod_requests_the_larger_of_its_containers_and_init_containers() -> None:
    pod = a_pod("2")
    pod["spec"]["initContainers"] = [
        {"name": "i", "resources": {"requests": {"cpu": "3"}}},
        {"name": "sidecar", "restartPolicy": "Always", "resources": {"requests": {"cpu": "500m"}}},
    ]
    assert requests(pod)["cpu"] == Decimal(3)


def test_missing_requests_default_to_limits() -> None:
    pod = a_pod()
    pod["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": 2}}
    assert requests(pod)["nvidia.com/gpu"] == 2


@pytest.mark.parametrize(("text", "value"), [("500m", "0.5"), ("2Gi", str(2 * 2**30)), ("1e3", "1000"), (4, "4")])
def test_quantities_are_parsed_as_in_kubernetes(text: Any, value: str) -> None:
    assert quantity(text) == Decimal(value)


def a_pod_with_claim(name: str) -> Body:
    pod = a_pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": name}}])
    return pod | {"metadata": {"name": "p", "namespace": "ns"}}


CLAIMS: dict[tuple[str, str], Body] = {
    ("ns", "there"): {"metadata": {"name": "there"}},
    ("ns", "going"): {"metadata": {"name": "going", "deletionTimestamp": "2026-01-01T00:00:00Z"}},
    ("other", "elsewhere"): {"metadata": {"name": "elsewhere"}},
}
CLAIM_CASES = {
    "a claim that exists": ("there", ""),
    "a claim that does not exist": ("none", 'persistentvolumeclaim "none" not found'),
    "a claim of another namespace": ("elsewhere", 'persistentvolumeclaim "elsewhere" not found'),
    "a claim that is being deleted": ("going", 'persistentvolumeclaim "going" is being deleted'),
}


@pytest.mark.parametrize(("name", "wanted"), CLAIM_CASES.values(), ids=CLAIM_CASES)
def test_a_pod_needs_its_claims(name: str, wanted: str) -> None:
    assert claim_obstacle(a_pod_with_claim(name), CLAIMS) == wanted
