"""Resources of pods and gangs, computed as in Kubernetes' scheduler and quota."""

import pytest

from shared.resources import GangTask, as_text, gang_counts, min_resources, pod_limits, pod_requests, pod_usage


def container(requests: dict | None = None, limits: dict | None = None, **fields) -> dict:
    resources = {name: value for name, value in (("requests", requests), ("limits", limits)) if value}
    return {"name": "c", "image": "i", "resources": resources, **fields}


def pod(*containers: dict, init: list[dict] | None = None, **spec) -> dict:
    return {"spec": {"containers": list(containers), "initContainers": init or [], **spec}}


SIDECAR = {"restartPolicy": "Always"}

REQUESTS = {
    "nothing": ({}, ""),
    "containers add up": (
        pod(container({"cpu": "1"}), container({"cpu": "500m", "memory": "1Gi"})),
        "cpu=1500m memory=1Gi",
    ),
    "limits stand in for requests": (pod(container(limits={"cpu": 2, "x/gpu": 1})), "cpu=2 x/gpu=1"),
    "a request beats its limit": (pod(container({"cpu": "1"}, {"cpu": "2", "memory": "1Mi"})), "cpu=1 memory=1Mi"),
    "the largest init container": (
        pod(container({"cpu": "1"}), init=[container({"cpu": "3"}), container({"cpu": "2"})]),
        "cpu=3",
    ),
    "a small init container costs nothing": (pod(container({"cpu": "1"}), init=[container({"cpu": "500m"})]), "cpu=1"),
    "sidecars run beside containers": (
        pod(container({"cpu": "1"}), init=[container({"cpu": "1"}, **SIDECAR)]),
        "cpu=2",
    ),
    "an init container runs beside earlier sidecars": (
        pod(container({"cpu": "1"}), init=[container({"cpu": "1"}, **SIDECAR), container({"cpu": "3"})]),
        "cpu=4",
    ),
    "an init container does not run beside later sidecars": (
        pod(container({"cpu": "1"}), init=[container({"cpu": "3"}), container({"cpu": "1"}, **SIDECAR)]),
        "cpu=3",
    ),
    "overhead": (pod(container({"cpu": "1"}), overhead={"cpu": "250m", "memory": "10Mi"}), "cpu=1250m memory=10Mi"),
    "a request for the whole pod": (pod(container({"cpu": "1"}), resources={"requests": {"cpu": "4"}}), "cpu=4"),
    "a limit for the whole pod": (
        pod(container({"cpu": "1"}), resources={"limits": {"cpu": "4", "memory": "1Gi"}}),
        "cpu=1 memory=1Gi",
    ),
    "malformed parts": (
        {"spec": {"containers": [None, {"resources": {"requests": {"cpu": "x"}}}, container({"cpu": "1"})]}},
        "cpu=1",
    ),
}


@pytest.mark.parametrize(("pod", "wanted"), REQUESTS.values(), ids=REQUESTS)
def test_pod_requests_are_the_maximum_over_its_start_and_run(pod: dict, wanted: str) -> None:
    assert " ".join(f"{name}={amount}" for name, amount in as_text(pod_requests(pod)).items()) == wanted


def test_limits_include_overhead() -> None:
    made = pod(container({"cpu": "1"}, {"cpu": "2"}), overhead={"cpu": "1", "memory": "1Mi"})
    assert as_text(pod_limits(made)) == {"cpu": "3"}
    whole = pod(container(limits={"cpu": "2"}), resources={"limits": {"cpu": "3"}})
    assert as_text(pod_limits(whole)) == {"cpu": "3"}


def test_a_quota_charges_by_its_own_keys() -> None:
    asked = {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1G", "hugepages-2Mi": "4Mi", "nvidia.com/gpu": "2"}
    usage = pod_usage(pod(container(limits=asked)))
    assert as_text(usage) == {
        "count/pods": "1",
        "pods": "1",
        "cpu": "1",
        "requests.cpu": "1",
        "limits.cpu": "1",
        "memory": "1Gi",
        "requests.memory": "1Gi",
        "limits.memory": "1Gi",
        "ephemeral-storage": "1G",
        "requests.ephemeral-storage": "1G",
        "limits.ephemeral-storage": "1G",
        "hugepages-2Mi": "4Mi",
        "requests.hugepages-2Mi": "4Mi",
        "nvidia.com/gpu": "2",
        "requests.nvidia.com/gpu": "2",
    }


MASTER, WORKER = pod(container({"cpu": "50m"})), pod(container({"cpu": "100m"}))
# docs/design/volcano-behaviour.md, section 3.10: (job, master, worker minAvailable) -> pods, cpu
CHECK_TABLE = {
    (3, None, 1): ("3", "200m"),
    (3, 1, None): ("3", "250m"),
    (3, 1, 1): ("3", "200m"),
    (2, 1, 1): ("2", "150m"),
    (2, None, 1): ("2", "100m"),
    (2, 1, None): ("2", "100m"),
}


@pytest.mark.parametrize(("minimums", "wanted"), CHECK_TABLE.items(), ids=map(str, CHECK_TABLE))
def test_the_minimum_counts_the_pods_that_start_first(minimums: tuple, wanted: tuple[str, str]) -> None:
    job, master, worker = minimums
    tasks = [GangTask(2, worker, WORKER), GangTask(2, master, MASTER, priority=10)]
    asked = min_resources(tasks, job)
    assert (asked["pods"], asked["cpu"]) == wanted
    assert asked["count/pods"] == asked["pods"]
    assert asked["requests.cpu"] == asked["cpu"]


def test_a_gang_without_pods_has_no_minimum() -> None:
    assert min_resources([GangTask(2, 0, MASTER)], 0) == {}
    assert min_resources([], 3) == {}


def test_a_million_replicas_are_multiplied_not_counted() -> None:
    tasks = [GangTask(10**6, None, MASTER)]
    assert min_resources(tasks, 10**6)["cpu"] == "50k"


def test_a_minimum_above_all_replicas_counts_all_replicas() -> None:
    assert gang_counts([GangTask(2, 1, MASTER), GangTask(3, 5, WORKER)], 99) == [2, 3]
