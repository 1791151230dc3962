"""Jobs of the frameworks: the tasks and plugins that the examples in YAML have."""

import pytest

from jobflow import Flow, Job, mpi, ray, tensorflow, torch
from shared.model.types import Body

WORK = "busybox:1.36"


def spec_of(job: Job) -> Body:
    return job.spec


def tasks(job: Job) -> dict[str, tuple[int, list[str]]]:
    return {
        each["name"]: (each["replicas"], each["template"]["spec"]["containers"][0].get("command", []))
        for each in spec_of(job)["tasks"]
    }


def test_torch_has_a_master_and_workers_that_restart_together() -> None:
    job = Job("train", **torch(4, image=WORK, command="python train.py", gpus=2), queue="research")
    assert tasks(job) == {"master": (1, ["python", "train.py"]), "worker": (3, ["python", "train.py"])}
    spec = spec_of(job)
    assert (spec["minAvailable"], spec["maxRetry"], spec["queue"]) == (4, 3, "research")
    assert spec["plugins"] == {"pytorch": ["--master=master", "--worker=worker", "--port=23456"]}
    assert {each["event"]: each["action"] for each in spec["policies"]} == {
        "PodFailed": "RestartJob",
        "PodEvicted": "RestartJob",
    }


def test_one_worker_of_torch_is_the_master_alone() -> None:
    assert tasks(Job("train", **torch(1, image=WORK, command="python train.py"))).keys() == {"master"}


def test_mpi_starts_the_launcher_once_the_workers_listen() -> None:
    job = Job("reduce", **mpi(2, image=WORK, launcher="mpiexec -np 2 hello", slots=4))
    assert tasks(job)["master"] == (1, ["mpiexec", "-np", "2", "hello"])
    master, worker = spec_of(job)["tasks"]
    assert worker["template"]["spec"]["containers"][0]["readinessProbe"]["tcpSocket"] == {"port": 22}
    assert master["dependsOn"] == {"name": ["worker"], "condition": "Ready"}
    assert "--slots=4" in spec_of(job)["plugins"]["mpi"]


def test_ray_submits_the_driver_to_the_head_of_its_own_job() -> None:
    job = Job("tune", **ray(3, image=WORK, driver="python tune.py"))
    assert [(name, count) for name, (count, _) in tasks(job).items()] == [("head", 1), ("worker", 3), ("driver", 1)]
    driver = spec_of(job)["tasks"][2]["template"]["spec"]["containers"][0]
    assert driver["command"] == [
        "ray", "job", "submit", "--address=http://$(JOB_NAME)-head-svc:8265", "--", "python", "tune.py",
    ]  # fmt: skip
    assert driver["env"][0]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['volcano.sh/job-name']"


def test_tensorflow_has_parameter_servers_if_wanted() -> None:
    assert tasks(Job("fit", **tensorflow(2, servers=1, image=WORK, command="fit"))).keys() == {"ps", "worker"}
    assert tasks(Job("fit", **tensorflow(2, image=WORK, command="fit"))).keys() == {"worker"}


def test_the_cluster_takes_them_all() -> None:
    with Flow("f") as flow:
        Job("train", **torch(4, image=WORK, command="python train.py"))
        Job("reduce", **mpi(2, image=WORK, launcher="hello"))
        Job("tune", **ray(3, image=WORK, driver="python tune.py"))
        Job("fit", **tensorflow(2, servers=1, image=WORK, command="fit"))
    assert list(flow.lint()) == []


@pytest.mark.parametrize("make", [torch, lambda n: mpi(n, launcher="x"), lambda n: ray(n, driver="x"), tensorflow])
def test_no_workers_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match="give at least one worker"):
        make(0)
