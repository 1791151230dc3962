"""Jobs of PyTorch, MPI and TensorFlow whose containers run as processes and check their own environment."""

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from local.backends import Backend
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import JOB
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario, job_phase

PROGRAMS: Final = Path(__file__).parents[1] / "support" / "programs"
_NUMBERS: Final = itertools.count()
FINAL: Final = ("Completed", "Failed", "Aborted", "Terminated")


@pytest.fixture(scope="module")
def processes(backend: Backend) -> Iterator[LocalCluster]:
    """A cluster whose nodes run the commands of containers."""
    options = ClusterOptions(nodes=2, run_commands=True, controller_args=("--no-leader-elect",))
    with LocalCluster(backend, options) as running:
        yield running


@pytest.fixture
def there(processes: LocalCluster) -> Iterator[Scenario]:
    with processes.namespace(f"frameworks-{os.getpid()}-{next(_NUMBERS)}") as name:
        processes.await_service_account(name)
        yield Scenario(processes, name)


def task(name: str, replicas: int, program: str, *arguments: str, **more: Any) -> Body:
    command = [sys.executable, str(PROGRAMS / f"{program}.py"), *arguments]
    container = {"name": "main", "image": "training", "command": command}
    pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {"name": name, "replicas": replicas, "template": pod} | more


def ends(there: Scenario, tasks: list[Body], plugins: Body) -> tuple[str, dict[str, str]]:
    """The Job's last phase, and the termination message of each pod."""
    metadata = {"name": "train", "namespace": there.namespace}
    spec = {"minAvailable": 1, "tasks": tasks, "plugins": plugins}
    there.kube.create(JOB, {"apiVersion": JOB.api_version, "kind": "Job", "metadata": metadata, "spec": spec})
    job = there.cluster.wait_for(JOB, there.namespace, "train", lambda job: job_phase(job) in FINAL)
    names = [pod["metadata"]["name"] for pod in there.pods()]
    logs = f"/api/v1/namespaces/{there.namespace}/pods"
    return job_phase(job), {name: str(there.kube.request("GET", f"{logs}/{name}/log")).strip() for name in names}


def test_a_pytorch_job_knows_its_ranks(there: Scenario) -> None:
    tasks = [task("master", 2, "pytorch"), task("worker", 3, "pytorch")]
    phase, said = ends(there, tasks, {"pytorch": [], "env": []})
    assert phase == "Completed", said
    order = ["train-master-0", "train-master-1", "train-worker-0", "train-worker-1", "train-worker-2"]
    assert said == {pod: f"rank {rank} of 5\nall is well" for rank, pod in enumerate(order)}


def test_a_tensorflow_job_knows_its_cluster(there: Scenario) -> None:
    tasks = [task("chief", 1, "tensorflow"), task("ps", 1, "tensorflow"), task("worker", 2, "tensorflow")]
    phase, said = ends(there, tasks, {"tensorflow": ["--port=2222"], "env": []})
    assert phase == "Completed", said
    assert said["train-worker-1"] == "worker 1 of ['chief', 'ps', 'worker']\nall is well"


def test_an_mpi_job_can_reach_its_workers(there: Scenario) -> None:
    """The launcher starts once the workers are done: as a process it looks at files, it does not log in."""
    tasks = [
        task("worker", 2, "mpi", "worker"),
        task("master", 1, "mpi", "launcher", dependsOn={"name": ["worker"]}),
    ]
    phase, said = ends(there, tasks, {"mpi": ["--port=2022", "--slots=2"], "env": []})
    assert phase == "Completed", said
    assert said["train-master-0"] == "launching on ['train-worker-0.train', 'train-worker-1.train']\nall is well"


def test_without_its_plugin_the_same_program_fails(there: Scenario) -> None:
    """The programs above do find out when something is missing."""
    tasks = [task("master", 1, "pytorch"), task("worker", 1, "pytorch")]
    phase, said = ends(there, tasks, {"svc": [], "env": []})
    assert phase == "Failed"
    assert "KeyError: 'RANK'" in said["train-worker-0"]
