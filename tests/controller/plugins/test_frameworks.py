"""tensorflow, pytorch, mpi, ray, hcclrank: what a framework finds in its pod."""

import json

import pytest

from controller.plugin_api import PluginContext, PodSlot
from controller.plugins import plugin_objects, shape_pod
from tests.controller.plugins.make import INIT, bare_pod, env, pod, shape, template


def tf_config(job, task: str, index: int) -> dict:
    return json.loads(env(pod(job, task, index))["TF_CONFIG"])


def test_tensorflow_lists_the_cluster_and_the_pods_own_place() -> None:
    job = shape({"ps": 1, "worker": 2}, {"tensorflow": []})
    made = pod(job, "worker", 1, initContainers=INIT)
    assert env(made)["TF_CONFIG"] == (
        '{"cluster":{"ps":["demo-ps-0.demo:2222"],"worker":["demo-worker-0.demo:2222","demo-worker-1.demo:2222"]},'
        '"task":{"type":"worker","index":1}}'
    )
    assert "TF_CONFIG" not in env(made, field="initContainers")


def test_tensorflow_sets_nothing_for_a_single_pod() -> None:
    assert "TF_CONFIG" not in env(pod(shape({"worker": 1}, {"tensorflow": []}), "worker", 0))


def test_tensorflow_roles_follow_flags_and_other_tasks_keep_their_own_name() -> None:
    job = shape({"trainer": 2, "logger": 1}, {"tensorflow": ["--worker=trainer", "--port=3333"]})
    assert tf_config(job, "trainer", 0)["task"] == {"type": "worker", "index": 0}
    assert tf_config(job, "logger", 0) == {
        "cluster": {"worker": ["demo-trainer-0.demo:3333", "demo-trainer-1.demo:3333"]},
        "task": {"type": "logger", "index": 0},
    }


def test_tensorflow_repeats_a_fixed_hostname() -> None:
    job = shape({"worker": 2}, {"tensorflow": []}, {"worker": template(hostname="h")})
    assert tf_config(job, "worker", 0)["cluster"] == {"worker": ["h.demo:2222", "h.demo:2222"]}


RANKS = {"master": ["0", "1"], "worker": ["2", "3", "4"]}


@pytest.mark.parametrize(("task", "index"), [(task, index) for task in RANKS for index in range(len(RANKS[task]))])
def test_pytorch_ranks_are_distinct_over_masters_and_workers(task: str, index: int) -> None:
    variables = env(pod(shape({"master": 2, "worker": 3}, {"pytorch": []}), task, index))
    assert variables["RANK"] == RANKS[task][index]
    assert variables["WORLD_SIZE"] == "5"
    assert (variables["MASTER_ADDR"], variables["MASTER_PORT"]) == ("demo-master-0.demo", "23456")


def test_pytorch_opens_its_port_once_and_gives_other_tasks_no_rank() -> None:
    job = shape({"master": 1, "worker": 3, "eval": 1}, {"pytorch": ["--port=3"]})
    opened = {"name": "pytorchjob-port", "containerPort": 3, "protocol": "TCP"}
    made = pod(job, "eval", 0)
    assert made["spec"]["containers"][0]["ports"] == [opened]
    assert "RANK" not in env(made)
    assert env(made)["WORLD_SIZE"] == "4"
    mine = [{"name": "c", "image": "i", "ports": [{"containerPort": 3}]}]
    assert pod(job, "eval", 0, containers=mine)["spec"]["containers"][0]["ports"] == [{"containerPort": 3}]


def test_pytorch_without_a_master_task_adds_nothing() -> None:
    assert "MASTER_ADDR" not in env(pod(shape({"worker": 2}, {"pytorch": []}), "worker", 0))


def test_pytorch_workers_wait_for_the_master_when_asked() -> None:
    flags = ["--wait-master-enabled", "--wait-master-timeout=7", "--wait-master-image=alpine"]
    job = shape({"master": 1, "worker": 1}, {"pytorch": flags})
    (waiter,) = pod(job, "worker", 0)["spec"]["initContainers"]
    assert (waiter["name"], waiter["image"]) == ("wait-for-master", "alpine")
    assert "nc -z -w 2 demo-master-0.demo 23456" in waiter["command"][2]
    assert "+ 7 " in waiter["command"][2]
    assert "initContainers" not in pod(job, "master", 0)["spec"]
    own = [{"name": "wait-for-master", "image": "mine"}]
    assert [c["image"] for c in pod(job, "worker", 0, initContainers=own)["spec"]["initContainers"]] == ["mine"]


def test_mpi_lists_the_workers_for_the_master_and_opens_ssh_everywhere() -> None:
    job = shape({"m": 1, "w": 2}, {"mpi": ["--master=m", "--worker=w"]})
    made = pod(job, "m", 0, initContainers=INIT)
    port = {"name": "mpijob-port", "containerPort": 22, "protocol": "TCP"}
    for field in ("containers", "initContainers"):
        assert env(made, field=field)["MPI_HOST"] == "demo-w-0.demo,demo-w-1.demo"
        assert made["spec"][field][0]["ports"] == [port]
    worker = pod(job, "w", 0)
    assert worker["spec"]["containers"][0]["ports"] == [port]
    assert "MPI_HOST" not in env(worker)
    assert [volume["name"] for volume in made["spec"]["volumes"]] == ["demo-ssh", "demo-svc"]


def test_mpi_writes_a_host_file_beside_the_host_lists() -> None:
    hosts, *_ = plugin_objects(shape({"master": 1, "worker": 2}, {"mpi": ["--slots=4"]}), PluginContext())
    assert hosts.body["data"]["mpi.host"] == "demo-worker-0.demo slots=4\ndemo-worker-1.demo slots=4\n"
    assert hosts.body["data"]["VC_WORKER_NUM"] == "2"


def test_a_task_called_mpi_keeps_its_own_host_list() -> None:
    hosts, *_ = plugin_objects(shape({"mpi": 1, "worker": 1}, {"mpi": ["--master=mpi"]}), PluginContext())
    assert hosts.body["data"]["mpi.host"] == "demo-mpi-0.demo"


def test_ray_starts_head_and_workers() -> None:
    job = shape({"head": 1, "worker": 2}, {"ray": ["--dashboardPort=80"]})
    head = pod(job, "head", 0, containers=[{"name": "head", "image": "r", "args": ["x"]}])["spec"]["containers"][0]
    assert head["command"] == [
        "sh",
        "-c",
        "ray start --head --block --dashboard-host=0.0.0.0 --port=6379 --dashboard-port=80 --ray-client-server-port=10001",
    ]
    assert [(port["name"], port["containerPort"]) for port in head["ports"]] == [
        ("gcs", 6379),
        ("dashboard", 80),
        ("client-server", 10001),
    ]
    worker = pod(job, "worker", 1, containers=[{"name": "worker", "image": "r"}])["spec"]["containers"][0]
    assert worker["command"] == ["sh", "-c", "ray start --block --address=demo-head-0.demo:6379"]
    assert "ports" not in worker
    assert "command" not in pod(job, "worker", 1)["spec"]["containers"][0]


def test_ray_creates_a_service_for_the_head() -> None:
    *_, service = plugin_objects(shape({"head": 1, "worker": 2}, {"ray": []}), PluginContext())
    assert service.key == "Service/demo-head-svc"
    assert service.body["spec"]["selector"]["volcano.sh/task-spec"] == "head"
    assert [(port["name"], port["port"], port["targetPort"]) for port in service.body["spec"]["ports"]] == [
        ("gcs", 6379, 6379),
        ("dashboard", 8265, 8265),
        ("client-server", 10001, 10001),
    ]


def rank(made: dict) -> str | None:
    return made["metadata"].get("annotations", {}).get("hccl/rankIndex")


def test_hcclrank_counts_masters_then_workers() -> None:
    job = shape({"master": 2, "worker": 2, "other": 1}, {"hcclrank": []})
    assert [rank(pod(job, "master", 1)), rank(pod(job, "worker", 1)), rank(pod(job, "other", 0))] == ["1", "3", None]


def test_hcclrank_takes_the_rank_that_pytorch_gave_whatever_the_order_of_the_map() -> None:
    job = shape({"lead": 1, "worker": 2}, {"hcclrank": [], "pytorch": ["--master=lead"]})
    assert rank(pod(job, "worker", 1)) == "2"


def test_hcclrank_keeps_an_existing_annotation() -> None:
    job = shape({"worker": 2}, {"hcclrank": []})
    context = bare_pod("worker", 1)
    context["metadata"]["annotations"] = {"hccl/rankIndex": "9"}
    assert rank(shape_pod(context, PodSlot("worker", 1), job)) == "9"
