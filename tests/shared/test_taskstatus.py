import pytest

from shared.podstatus.taskstatus import TaskStatus, task_status


def pod(
    phase: str | None, *, node: str = "", deleted: bool = False, nominated: str = "", scheduled: dict | None = None
):
    return {
        "metadata": {"deletionTimestamp": "2026-01-02T03:04:05Z"} if deleted else {},
        "spec": {"nodeName": node} if node else {},
        "status": {
            "phase": phase,
            "nominatedNodeName": nominated,
            "conditions": [{"type": "PodScheduled", **scheduled}] if scheduled else None,
        },
    }


UNSCHEDULABLE = {"status": "False", "reason": "Unschedulable"}
GATED = {"status": "False", "reason": "SchedulingGated"}

CASES = {
    "just created": ({"metadata": {}, "spec": {}}, "Pending"),
    "nothing at all": ({}, "Pending"),
    "waits for a node": (pod("Pending"), "Pending"),
    "behind a gate": (pod("Pending", scheduled=GATED), "Pending"),
    "no node fits": (pod("Pending", scheduled=UNSCHEDULABLE), "Pending"),
    "a node is chosen and being prepared": (pod("Pending", nominated="n"), "Allocated"),
    "a node is chosen and being emptied": (pod("Pending", nominated="n", scheduled=UNSCHEDULABLE), "Pipelined"),
    "reported as scheduled": (pod("Pending", scheduled={"status": "True"}), "Binding"),
    "on a node, containers start": (pod("Pending", node="n", scheduled={"status": "True"}), "Bound"),
    "on a node after preemption": (pod("Pending", node="n", nominated="n"), "Bound"),
    "runs": (pod("Running", node="n"), "Running"),
    "deleted before it ran": (pod("Pending", deleted=True), "Releasing"),
    "deleted while it runs": (pod("Running", node="n", deleted=True), "Releasing"),
    "succeeded": (pod("Succeeded", node="n"), "Succeeded"),
    "succeeded, being deleted": (pod("Succeeded", node="n", deleted=True), "Succeeded"),
    "failed": (pod("Failed", node="n"), "Failed"),
    "failed, being deleted": (pod("Failed", node="n", deleted=True), "Failed"),
    "its node cannot be asked": (pod("Unknown", node="n"), "Unknown"),
    "a phase of the future": (pod("Dreaming", node="n"), "Unknown"),
}


@pytest.mark.parametrize(("pod", "wanted"), CASES.values(), ids=CASES)
def test_a_pod_has_one_of_ten_task_states(pod: dict, wanted: str) -> None:
    assert task_status(pod) == wanted


def test_every_state_can_be_seen() -> None:
    assert {wanted for _, wanted in CASES.values()} == set(TaskStatus)
