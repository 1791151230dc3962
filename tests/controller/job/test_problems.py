"""What keeps pods from running reaches the Job's message, and one event."""

import pytest

from shared.model.types import Body
from shared.timestamp import rfc3339
from tests.controller.job.make import policy, task
from tests.controller.job.toy import Toy, started, toy


def waiting(reason: str, restarts: int = 0, code: int = 1, message: str = "") -> Body:
    last = {"lastState": {"terminated": {"exitCode": code, "reason": "Error"}}} if restarts else {}
    state = {"waiting": {"reason": reason, "message": message}} if reason else {"running": {}}
    return {"name": "main", "restartCount": restarts, "state": state, **last}


def show(cluster: Toy, name: str, phase: str, *containers: Body) -> Toy:
    cluster._set_pod(name, phase, *containers)
    return cluster


def bind(cluster: Toy, name: str) -> None:
    show(cluster, name, "Pending", waiting("ContainerCreating"))
    body = cluster._pod(name)
    body["spec"]["nodeName"] = "n1"
    body["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": rfc3339(cluster.now)}
    ]


def message(cluster: Toy) -> str:
    return cluster.status.state.message


def reported(cluster: Toy) -> list[str]:
    return [note.message for note in cluster.notes if note.reason == "PodProblem"]


def test_an_image_that_cannot_be_pulled_reaches_message_and_event() -> None:
    cluster = toy(task(replicas=1)).settle()
    show(cluster, "w-0", "Pending", waiting("ErrImagePull", message="not found")).settle()
    assert message(cluster) == "0 pods run, 1 is needed; pod demo-w-0: ErrImagePull: container main: not found"
    assert reported(cluster) == ["pod demo-w-0: ErrImagePull: container main: not found"]


def test_a_problem_that_comes_and_goes_raises_one_event() -> None:
    cluster = toy(task(replicas=1)).settle()
    for reason in ("ErrImagePull", "ImagePullBackOff", "ErrImagePull"):
        show(cluster, "w-0", "Pending", waiting(reason)).settle()
        show(cluster, "w-0", "Pending").settle()
    assert len(reported(cluster)) == 1


def test_pods_whose_containers_are_not_created_for_long_are_named() -> None:
    cluster = toy(task(replicas=2)).settle()
    for name in ("w-0", "w-1"):
        bind(cluster, name)
    cluster.settle()
    assert message(cluster) == "0 pods run, 2 are needed"
    assert cluster.wake is not None
    assert 29 <= cluster.wake - cluster.now <= 31
    cluster.wait(31).settle()
    assert message(cluster) == (
        "0 pods run, 2 are needed; 2 pods, such as demo-w-0, have been starting for more than 30 s: "
        "kubectl describe pod demo-w-0 shows why"
    )
    show(cluster, "w-0", "Running", {"name": "main", "ready": True, "state": {"running": {}}}).settle()
    assert "pod demo-w-1 has been starting for more than 30 s" in message(cluster)
    assert reported(cluster) == []


NODE_GONE = (
    "NodeNotFound: node n1 no longer exists; Kubernetes deletes the pod within about a minute (event PodEvicted), "
    "nothing replaces it before"
)


def test_the_missing_node_of_running_pods_is_named_and_nothing_replaces_them() -> None:
    cluster = started(task(replicas=2))
    cluster._pod("w-0")["spec"]["nodeName"] = cluster._pod("w-1")["spec"]["nodeName"] = "n1"
    made = len(cluster.created)
    cluster.missing_nodes = {"n1"}
    cluster.settle()
    assert (cluster.status.state.reason, message(cluster)) == (
        "PodProblem",
        f"of 2 pods: 2 running; 2 pods of task w, such as demo-w-0: {NODE_GONE}",
    )
    assert reported(cluster) == [f"2 pods of task w, such as demo-w-0: {NODE_GONE}"]
    assert len(cluster.created) == made
    cluster.missing_nodes = set()
    assert cluster.settle().status.state.message == "of 2 pods: 2 running"


def test_the_missing_node_of_a_starting_pod_is_named() -> None:
    cluster = toy(task(replicas=1)).settle()
    bind(cluster, "w-0")
    cluster.missing_nodes = {"n1"}
    assert message(cluster.settle()) == f"0 pods run, 1 is needed; pod demo-w-0: {NODE_GONE}"


def test_a_pod_that_has_finished_needs_no_node() -> None:
    cluster = started(task(replicas=2))
    cluster._pod("w-0")["spec"]["nodeName"] = "n1"
    cluster.succeed("w-0").missing_nodes = {"n1"}
    assert message(cluster.settle()) == "of 2 pods: 1 running, 1 succeeded"


SLOW_END = (
    "; not ended 30 s after the grace period: 2 pods, such as demo-w-0: "
    "kubectl describe pod demo-w-0 shows its node and finalizers"
)


@pytest.mark.parametrize(
    ("action", "phase", "end"), [("RestartJob", "Restarting", "Pending"), ("AbortJob", "Aborting", "Aborted")]
)
def test_pods_that_do_not_end_are_named_while_the_job_waits_for_them(action: str, phase: str, end: str) -> None:
    cluster = started(task(replicas=2))
    cluster.order(action).settle()
    before = message(cluster)
    assert cluster.phase == phase
    assert cluster.wake is not None
    assert 59 <= cluster.wake - cluster.now <= 61
    cluster.wait(61).settle()
    assert message(cluster) == before + SLOW_END
    cluster.wait(100).settle()
    assert message(cluster) == before + SLOW_END
    cluster.vanish().settle()
    assert cluster.phase == end
    assert "not ended" not in message(cluster)


def test_a_job_that_waits_to_create_a_pod_again_names_the_old_one_that_does_not_end() -> None:
    cluster = started(task(replicas=1))
    cluster.evict("w-0").settle()
    cluster.wait(61).settle()
    assert "not ended 30 s after the grace period: pod demo-w-0" in message(cluster)


def test_restarts_of_containers_are_reported_while_the_job_runs() -> None:
    cluster = started(task(replicas=3))
    show(cluster, "w-1", "Running", waiting("", restarts=3, code=7)).settle()
    assert cluster.phase == "Running"
    assert message(cluster).endswith(
        "3 running; pod demo-w-1: ContainerRestarted: container main restarted 3 times, last exit code 7"
    )
    show(cluster, "w-1", "Running", waiting("CrashLoopBackOff", restarts=4)).settle()
    assert "CrashLoopBackOff: container main restarted 4 times" in message(cluster)
    assert len(reported(cluster)) == 1


def test_many_pods_with_one_problem_are_one_sentence() -> None:
    cluster = toy(task(replicas=40)).settle()
    for index in range(40):
        show(cluster, f"w-{index}", "Pending", waiting("ErrImagePull"))
    cluster.settle()
    assert "; 40 pods of task w, such as demo-w-0: ErrImagePull" in message(cluster)
    assert len(reported(cluster)) == 1


def test_only_a_few_of_many_problems_are_reported() -> None:
    cluster = toy(*(task(f"t{index}", 1) for index in range(9))).settle()
    for index in range(9):
        show(cluster, f"t{index}-0", "Pending", waiting("ErrImagePull"))
    cluster.settle()
    assert message(cluster).count("ErrImagePull") == 3
    assert message(cluster).endswith("; and 6 other problems")


def test_a_restarted_job_raises_its_event_again() -> None:
    cluster = started(task(replicas=1), policies=[policy("RestartJob", "PodFailed")])
    show(cluster, "w-0", "Running", waiting("", restarts=1)).settle()
    cluster.fail("w-0").settle().vanish().settle()
    show(cluster, "w-0", "Pending", waiting("", restarts=1)).settle()
    assert len(reported(cluster)) == 2


def test_a_failed_job_names_the_pod_that_failed_first_and_how() -> None:
    cluster = started(task(replicas=2))
    ended = {"exitCode": 3, "reason": "Error", "message": "no GPU", "finishedAt": "2026-01-02T03:00:00Z"}
    show(cluster, "w-1", "Failed", {"name": "main", "restartCount": 0, "state": {"terminated": ended}}).settle()
    assert cluster.phase == "Failed"
    assert message(cluster).endswith("; pod demo-w-1: container main: exit code 3: no GPU")


def test_a_policy_names_what_killed_the_pod() -> None:
    cluster = started(policies=[policy("AbortJob", "PodFailed")])
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-02T03:00:00Z"}
    show(cluster, "w-1", "Failed", {"name": "main", "restartCount": 0, "state": {"terminated": ended}}).settle()
    assert message(cluster) == "pod demo-w-1 failed with exit code 137 (OOMKilled): AbortJob"


def test_a_gang_that_waits_raises_one_event_with_its_message() -> None:
    cluster = toy()
    cluster.auto_inqueue = False
    cluster.settle()
    for number in (5, 6, 7):
        cluster.group_phase("Pending")
        condition = {"type": "Unschedulable", "status": "True", "message": f"{number} pods do not fit"}
        cluster.group["status"]["conditions"] = [condition]
        cluster.settle()
    assert message(cluster) == "7 pods do not fit"
    assert [note.message for note in cluster.notes if note.reason == "WaitingForPodGroup"] == ["5 pods do not fit"]


def test_a_running_job_says_why_pods_beyond_its_minimum_wait() -> None:
    cluster = started(task(replicas=3, minAvailable=2), minAvailable=2)
    why = "1 pod beyond the minimum waits: queue q uses pods 2 of 2 (spec.capability), 1 pod needs 1 more"
    assert cluster.group is not None
    cluster.group["status"]["conditions"] = [{"type": "Unschedulable", "status": "False", "message": why}]
    cluster.settle()
    assert message(cluster) == "of 3 pods: 3 running"
    cluster._pod("w-2")["spec"]["schedulingGates"] = [{"name": "jobflow.dev/gang"}]
    show(cluster, "w-2", "Pending").settle()
    assert message(cluster) == f"of 3 pods: 2 running, 1 pending; {why}"


def test_a_job_that_enters_a_blocked_state_raises_an_event_each_time() -> None:
    cluster = toy(volumes=[{"mountPath": "/data", "volumeClaimName": "shared"}]).settle().wait(60).settle()
    want = "PersistentVolumeClaim shared does not exist; the Job waits for it"
    assert [(note.reason, note.message) for note in cluster.notes] == [("VolumeClaimNotFound", want)]
