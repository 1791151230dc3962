"""What is wrong with a pod, from the pod objects that Kubernetes writes."""

from typing import Any

import pytest

from shared.model.types import Body
from shared.podstatus.podproblem import MAX_WORDS, pod_problem


def pod(phase: str, *containers: Body, node: str = "n1", **status: Any) -> Body:
    spec = {"nodeName": node} if node else {}
    return {"spec": spec, "status": {"phase": phase, "containerStatuses": list(containers), **status}}


def container(restarts: int = 0, last: Body | None = None, name: str = "c", **state: Any) -> Body:
    made: Body = {"name": name, "restartCount": restarts, "state": state}
    return {**made, "lastState": {"terminated": last}} if last else made


def scheduled(status: str, reason: str, message: str = "") -> Body:
    return {"conditions": [{"type": "PodScheduled", "status": status, "reason": reason, "message": message}]}


def conditions(reason: str = "", **status: str) -> Body:
    made = [{"type": kind, "status": value} | ({"reason": reason} if reason else {}) for kind, value in status.items()]
    return {"conditions": made}


def lost_node(reason: str = "") -> Body:
    """The conditions of a pod after the node controller has found that its node does not report."""
    return conditions(reason, Ready="False", ContainersReady="True")


PULL = {"reason": "ErrImagePull", "message": 'failed to pull image "nope":\n not found'}
CASES: dict[str, tuple[Body, str]] = {
    "a new pod": ({}, ""),
    "being scheduled": (pod("Pending", node=""), ""),
    "starting": (pod("Pending", container(waiting={"reason": "ContainerCreating"})), ""),
    "running": (pod("Running", container(running={})), ""),
    "succeeded": (pod("Succeeded", container(terminated={"exitCode": 0})), ""),
    "gated": (pod("Pending", node="", **scheduled("False", "SchedulingGated")), ""),
    "no node": (
        pod("Pending", node="", **scheduled("False", "Unschedulable", "0/4 nodes are available: 4 node(s)")),
        "Unschedulable: 0/4 nodes are available: 4 node(s)",
    ),
    "no image": (
        pod("Pending", container(waiting=PULL)),
        'ErrImagePull: container c: failed to pull image "nope": not found',
    ),
    "no image of the second container": (
        pod("Pending", container(running={}), container(name="d", waiting={"reason": "InvalidImageName"})),
        "InvalidImageName: container d",
    ),
    "no image of an init container": (
        pod("Pending", initContainerStatuses=[container(name="i", waiting=PULL)]),
        'ErrImagePull: container i: failed to pull image "nope": not found',
    ),
    "crash loop": (
        pod(
            "Running",
            container(
                4, {"exitCode": 1, "reason": "Error"}, waiting={"reason": "CrashLoopBackOff", "message": "back-off"}
            ),
        ),
        "CrashLoopBackOff: container c restarted 4 times, last exit code 1",
    ),
    "restarted and runs again": (
        pod("Running", container(1, {"exitCode": 137, "reason": "OOMKilled"}, running={})),
        "ContainerRestarted: container c restarted once, last exit code 137 (OOMKilled)",
    ),
    "its node does not report": (
        pod("Running", container(running={}), **lost_node()),
        "NodeNotReady: node n1 does not report; the pod is deleted when its toleration of that is over",
    ),
    "the node of a pod that restarted does not report": (
        pod("Running", container(1, {"exitCode": 1}, running={}), **lost_node()),
        "NodeNotReady: node n1 does not report; the pod is deleted when its toleration of that is over",
    ),
    "not ready, says the kubelet": (
        pod("Running", container(running={}), **conditions(Ready="False", ContainersReady="False")),
        "",
    ),
    "not ready because of a readiness gate": (
        pod("Running", container(running={}), **lost_node("ReadinessGatesNotReady")),
        "",
    ),
    "a problem goes before restarts": (
        pod("Running", container(2, {"exitCode": 1}, running={}), container(name="d", waiting=PULL)),
        'ErrImagePull: container d: failed to pull image "nope": not found',
    ),
    "failed with words": (
        pod("Failed", container(terminated={"exitCode": 3, "reason": "Error", "message": "no GPU\n"})),
        "container c: exit code 3: no GPU",
    ),
    "killed": (
        pod("Failed", container(terminated={"exitCode": 137, "reason": "OOMKilled"})),
        "OOMKilled: container c: exit code 137 (OOMKilled)",
    ),
    "evicted": (
        pod("Failed", reason="Evicted", message="The node was low on resource: memory."),
        "Evicted: The node was low on resource: memory.",
    ),
    "failed without a word": (pod("Failed"), "Failed"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_problem_of_a_pod(case: str) -> None:
    given, want = CASES[case]
    problem = pod_problem(given)
    assert (str(problem) if problem else "") == want


def test_reasons_that_alternate_are_of_one_kind() -> None:
    back_off = pod_problem(pod("Pending", container(waiting={"reason": "ImagePullBackOff"})))
    pull = pod_problem(pod("Pending", container(waiting=PULL)))
    assert back_off is not None
    assert pull is not None
    assert back_off.kind == pull.kind


def test_long_messages_are_cut() -> None:
    problem = pod_problem(pod("Failed", container(terminated={"exitCode": 1, "message": "x" * 5000})))
    assert problem is not None
    assert len(problem.message) < MAX_WORDS + 60
