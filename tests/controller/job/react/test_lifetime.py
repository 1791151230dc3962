"""spec.suspend, activeDeadlineSeconds and managedBy, and policies by exit codes and pod conditions."""

from typing import Any

import msgspec
import pytest

from controller.job.model.defaults import is_managed_elsewhere
from shared.model.job import Job
from shared.model.types import Body
from tests.controller.job.make import job, task
from tests.controller.job.toy import Toy, started, toy


def suspend(cluster: Toy, value: bool) -> Toy:
    cluster.job["spec"]["suspend"] = value
    cluster.job["metadata"]["generation"] += 1
    return cluster


def test_a_job_created_suspended_has_neither_podgroup_nor_pods() -> None:
    cluster = toy(suspend=True).settle()
    assert (cluster.phase, cluster.reason) == ("Aborted", "Suspended")
    assert cluster.objects == {}
    suspend(cluster, False).settle().run().settle()
    assert (cluster.phase, len(cluster.shown)) == ("Running", 2)
    assert cluster.status.retry_count == 0


def test_suspending_stops_what_runs_and_resuming_keeps_what_succeeded() -> None:
    cluster = started(task(replicas=3), minAvailable=1).succeed("w-0").settle()
    suspend(cluster, True).settle().vanish().settle()
    assert (cluster.phase, cluster.reason) == ("Aborted", "Suspended")
    assert [note.reason for note in cluster.notes].count("Suspended") == 1
    suspend(cluster, False).settle()
    assert sorted(name for name, phase in cluster.shown.items() if phase == "Pending") == ["w-1", "w-2"]


def test_a_command_stays_until_its_counterpart_whatever_the_spec_says() -> None:
    cluster = toy(suspend=True).settle().order("ResumeJob").settle().run().settle().wait(600).settle()
    assert cluster.phase == "Running"
    suspend(cluster, False).settle()
    assert cluster.phase == "Running"
    suspend(cluster, True).settle().vanish().settle()
    assert cluster.phase == "Aborted"
    cluster.order("AbortJob").settle()
    suspend(cluster, False).settle()
    assert cluster.phase != "Aborted"


def test_the_annotation_suspends_where_the_crd_has_no_such_field() -> None:
    cluster = Toy(job(metadata={"annotations": {"batch.jobflow.dev/suspend": "true"}})).settle()
    assert (cluster.phase, cluster.objects) == ("Aborted", {})


def test_a_finished_job_ignores_suspend() -> None:
    cluster = started().succeed().settle()
    suspend(cluster, True).settle()
    assert cluster.phase == "Completed"


def test_a_deadline_counts_from_the_first_running_pod() -> None:
    cluster = toy(activeDeadlineSeconds=60).settle().wait(3600).settle()
    assert cluster.phase == "Pending"
    cluster.run("w-0").settle().wait(30).run("w-1").settle()
    assert cluster.phase == "Running"
    assert cluster.wake == pytest.approx(cluster.now + 30, abs=1)
    cluster.wait(31).settle()
    assert (cluster.phase, cluster.reason) == ("Failed", "DeadlineExceeded")
    assert [note.reason for note in cluster.notes].count("DeadlineExceeded") == 1
    assert set(cluster.shown.values()) == {"Terminating"}


def test_a_restart_does_not_lengthen_the_deadline_and_resuming_begins_anew() -> None:
    cluster = started(activeDeadlineSeconds=60).wait(40).order("RestartJob").settle().vanish().settle().run().settle()
    assert cluster.wait(25).settle().reason == "DeadlineExceeded"
    cluster = started(activeDeadlineSeconds=60).wait(40).order("AbortJob").settle().vanish().settle().wait(500).settle()
    cluster.order("ResumeJob").settle().run().settle().wait(50).settle()
    assert cluster.phase == "Running"
    assert cluster.wait(15).settle().reason == "DeadlineExceeded"


@pytest.mark.parametrize(
    ("managed_by", "annotations", "want"),
    [
        ("", {}, False),
        ("jobflow.dev/job-controller", {}, False),
        ("kueue.x-k8s.io/multikueue", {}, True),
        ("", {"batch.jobflow.dev/managed-by": "kueue.x-k8s.io/multikueue"}, True),
    ],
)
def test_managed_by_determines_the_controller_of_a_job(
    managed_by: str, annotations: dict[str, str], want: bool
) -> None:
    body = job(metadata={"annotations": annotations}, managedBy=managed_by)
    assert is_managed_elsewhere(msgspec.convert(body, Job)) is want


def by_codes(operator: str, *values: int | str) -> Body:
    return {"action": "AbortJob", "exitCodes": {"operator": operator, "values": list(values)}}


CODES: dict[str, tuple[Body, int, bool]] = {
    "in": (by_codes("In", 3, 42), 42, True),
    "not in": (by_codes("In", 3, 42), 4, False),
    "in a range": (by_codes("In", "1-127"), 127, True),
    "above a range": (by_codes("In", "1-127"), 128, False),
    "another than these": (by_codes("NotIn", 3, "10-20"), 137, True),
    "one of the others": (by_codes("NotIn", 3, "10-20"), 15, False),
}


@pytest.mark.parametrize("case", CODES)
def test_policies_by_exit_codes(case: str) -> None:
    policy, code, acts = CODES[case]
    cluster = started(policies=[policy], minAvailable=1).fail("w-0", code=code).settle()
    assert (cluster.phase == "Aborting") is acts


@pytest.mark.parametrize(("status", "acts"), [("True", True), ("False", False)])
def test_policies_by_conditions_of_the_pod(status: str, acts: bool) -> None:
    policy: dict[str, Any] = {"action": "AbortJob", "podConditions": [{"type": "DisruptionTarget", "status": status}]}
    cluster = started(policies=[policy], minAvailable=1).evict("w-0", left_behind=True).settle()
    assert (cluster.phase == "Aborting") is acts
    assert started(policies=[policy], minAvailable=1).fail("w-0").settle().phase == "Running"
