"""Jobs of distributed training as the framework plugins need them: tasks, roles and restarts."""

from typing import Final, Unpack

from jobflow.jobs.arguments import GangArguments
from jobflow.jobs.plugins import plugin
from jobflow.jobs.pods import CONTAINER, words
from jobflow.jobs.task import TaskSetup
from jobflow.jobs.task_arguments import PodArguments, Policies
from shared.names import JOB_NAME

_RESTART: Final[Policies] = {"PodFailed": "RestartJob", "PodEvicted": "RestartJob"}
_READY_SECONDS: Final = 1


def torch(workers: int, *, port: int = 23456, max_retry: int = 3, **pod: Unpack[PodArguments]) -> GangArguments:
    """`Job("train", **torch(8, image="img", command="python train.py", gpus=1))`: `workers` pods with RANK, WORLD_SIZE,
    MASTER_ADDR and MASTER_PORT, the first of which is the master. A failed pod restarts them all, `max_retry` times."""
    if workers < 1:
        raise ValueError(f"torch({workers}): give at least one worker")
    master = TaskSetup("master", **pod)
    others = [TaskSetup("worker", replicas=workers - 1, **pod)] if workers > 1 else []
    options: GangArguments = {
        "tasks": [master, *others],
        "gang": True,
        "max_retry": max_retry,
        "plugins": [plugin("pytorch", master="master", worker="worker", port=port)],
        "policies": _RESTART,
    }
    return options


def mpi(
    workers: int, *, slots: int = 1, max_retry: int = 3, launcher: str, **pod: Unpack[PodArguments]
) -> GangArguments:
    """`launcher`: the line that the master runs, such as `mpiexec --hostfile /etc/volcano/mpi.host python train.py`; it
    starts once sshd of all `workers` listens, and the Job is Completed when it ends. Outputs are those of the master."""
    if workers < 1:
        raise ValueError(f"mpi({workers}): give at least one worker")
    worker: PodArguments = {
        "command": ["sh", "-c", "mkdir -p /var/run/sshd; exec /usr/sbin/sshd -D"],
        **pod,
        "container": {
            "readinessProbe": {"tcpSocket": {"port": 22}, "periodSeconds": _READY_SECONDS},
            **pod.get("container", {}),
        },
    }
    master: PodArguments = {"image": pod["image"], "command": launcher}
    options: GangArguments = {
        "tasks": [
            TaskSetup(
                "master", after=["worker"], after_condition="Ready", policies={"TaskCompleted": "CompleteJob"}, **master
            ),
            TaskSetup("worker", replicas=workers, **worker),
        ],
        "gang": True,
        "max_retry": max_retry,
        "plugins": [plugin("mpi", master="master", worker="worker", port=22, slots=slots)],
        "policies": {"PodEvicted": "RestartJob"},
    }
    return options


def ray(workers: int, *, driver: str, max_retry: int = 3, **pod: Unpack[PodArguments]) -> GangArguments:
    """A Ray cluster of a head and `workers`; `driver`: the line that runs on it, once the head is ready, in a pod of its
    own. The Job is Completed, and the cluster stopped, when it ends."""
    if workers < 1:
        raise ValueError(f"ray({workers}): give at least one worker")
    head: PodArguments = {
        **pod,
        "container": {
            "readinessProbe": {"tcpSocket": {"port": 8265}, "periodSeconds": _READY_SECONDS},
            **pod.get("container", {}),
        },
    }
    submit = ["ray", "job", "submit", "--address=http://$(JOB_NAME)-head-svc:8265", "--", *words(driver)]
    options: GangArguments = {
        "tasks": [
            TaskSetup("head", **head),
            TaskSetup("worker", replicas=workers, **pod),
            TaskSetup(
                "driver",
                image=pod["image"],
                command=submit,
                env={"JOB_NAME": {"fieldRef": {"fieldPath": f"metadata.labels['{JOB_NAME}']"}}},
                after=["head"],
                after_condition="Ready",
                policies={"TaskCompleted": "CompleteJob"},
            ),
        ],
        "gang": True,
        "max_retry": max_retry,
        "plugins": [plugin("ray", head="head", worker="worker", headContainer=CONTAINER, workerContainer=CONTAINER)],
    }
    return options


def tensorflow(workers: int, *, servers: int = 0, max_retry: int = 3, **pod: Unpack[PodArguments]) -> GangArguments:
    """`workers` and parameter `servers`, each with its TF_CONFIG; the Job is Completed when the workers are."""
    if workers < 1:
        raise ValueError(f"tensorflow({workers}): give at least one worker")
    ps = [TaskSetup("ps", replicas=servers, **pod)] if servers else []
    options: GangArguments = {
        "tasks": [*ps, TaskSetup("worker", replicas=workers, policies={"TaskCompleted": "CompleteJob"}, **pod)],
        "gang": True,
        "max_retry": max_retry,
        "plugins": [plugin("tensorflow", ps="ps", worker="worker")],
        "policies": {"PodEvicted": "RestartJob"},
    }
    return options
