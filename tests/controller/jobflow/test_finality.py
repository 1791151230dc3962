"""Ended steps stay ended; name conflicts of Jobs; creates that the API server refuses (docs/design/jobflow-api.md,
sections 3.2, 6, 7)."""

import pytest

from controller.decision import Refusal
from controller.jobflow.model.observed import ObservedChild
from shared.kinds import JOB
from shared.model.flow_status import FlowState, JobEntry, JobFlowStatus
from shared.model.phases import FlowPhase, JobPhase
from tests.controller.jobflow.make import TEMPLATE, FlowCluster, flow, started, step

OTHER = "other-uid"


def test_a_job_deleted_after_its_completion_is_not_run_again():
    cluster = started(step("a"), step("b", "a"))
    cluster.complete("f-a")
    cluster.vanish("f-a")
    cluster.complete("f-b")
    assert cluster.created == ["f-a", "f-b"]
    assert (cluster.phase, cluster.status.completed_jobs) == ("Succeed", ("f-a", "f-b"))


def test_a_job_that_ended_and_was_deleted_between_two_passes_counts_with_its_last_known_state():
    cluster = started(step("a"))
    cluster.set_job("f-a", JobPhase.RUNNING)
    cluster.settle()
    cluster.vanish("f-a")
    assert cluster.step("a").reason == "JobDeleted"
    assert cluster.phase == "Failed"
    assert cluster.status.failed_jobs == ("f-a",)


def test_a_missing_job_is_read_live_before_it_counts_as_deleted():
    cluster = started(step("a"))
    del cluster.bodies["f-a"]
    cluster.created.clear()  # so that the toy API server has not been asked

    found = cluster.decide_with()
    assert found.reads.children == {(JOB, "f-a")}


def test_an_ended_flow_does_not_change_when_its_jobs_are_deleted():
    cluster = started(step("a"))
    cluster.complete("f-a")
    before = cluster.status
    cluster.vanish("f-a")
    assert cluster.status == before


def test_a_step_waits_for_its_template_and_starts_when_it_appears():
    cluster = FlowCluster(flow(step("a"), step("b")), {"b": TEMPLATE})
    cluster.settle()
    assert cluster.created == ["f-b"]
    assert cluster.step("a").reason == "TemplateNotFound"
    assert cluster.next() == {"a": ("template a not found",)}
    assert (
        "TemplateNotFound",
        "step a waits for its template: TemplateNotFound: template a not found",
    ) in cluster.notes
    cluster.templates["a"] = TEMPLATE
    cluster.settle()
    assert cluster.created == ["f-b", "f-a"]
    assert (cluster.step("a").reason, cluster.step("a").message) == ("", "")


NAMESAKES = {
    "being deleted": (ObservedChild("f-a", owner="Job/x", owner_uid=OTHER, deleting=True), "WaitingForDeletion"),
    "of an earlier flow of this name": (ObservedChild("f-a", owner="JobFlow/f", owner_uid=OTHER), "WaitingForDeletion"),
    "of another flow": (ObservedChild("f-a", owner="JobFlow/g", owner_uid=OTHER), "NameConflict"),
    "of nobody": (ObservedChild("f-a"), "NameConflict"),
}


@pytest.mark.parametrize(("namesake", "want"), NAMESAKES.values(), ids=NAMESAKES.keys())
def test_a_job_of_the_same_name_is_never_adopted(namesake, want):
    cluster = FlowCluster(flow(step("a")))
    cluster.strangers["f-a"] = namesake
    cluster.settle()
    assert cluster.created == []
    assert cluster.step("a").reason == want
    assert str(cluster.step("a").phase) == ("Failed" if want == "NameConflict" else "Pending")


def test_a_name_conflict_names_the_owner_of_the_existing_job():
    cluster = FlowCluster(flow(step("a")))
    cluster.strangers["f-a"] = ObservedChild("f-a", owner="JobFlow/g", owner_uid=OTHER)
    cluster.settle()
    assert cluster.step("a").message == "a Job f-a already exists and is controlled by JobFlow/g"
    assert [reason for reason, _ in cluster.notes] == ["NameConflict", "Failed"]


def test_a_step_starts_once_the_earlier_job_is_gone():
    cluster = FlowCluster(flow(step("a")))
    cluster.strangers["f-a"] = ObservedChild("f-a", owner="JobFlow/f", owner_uid=OTHER, deleting=True)
    cluster.settle()
    cluster.strangers.clear()
    cluster.settle()
    assert cluster.created == ["f-a"]
    assert cluster.step("a").reason == ""


@pytest.mark.parametrize("code", [403, 429])
def test_a_rejected_job_is_retried_without_limit_with_growing_delays(code):
    cluster = FlowCluster(flow(step("a"), step("b")))
    cluster.refuse["f-a"] = code
    cluster.settle()
    assert cluster.created == ["f-b"]
    assert (str(cluster.step("a").phase), cluster.step("a").reason) == ("Pending", "JobRejected")
    assert cluster.step("a").message == f"refused with {code}"
    pauses = []
    for _ in range(9):
        before = cluster.refusals["f-a"].at
        pause = cluster.decide().decision.requeue_after
        assert pause is not None
        cluster.wait(pause)
        pauses.append(cluster.refusals["f-a"].at - before)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    del cluster.refuse["f-a"]
    cluster.wait(60)
    assert cluster.created == ["f-b", "f-a"]


@pytest.mark.parametrize("code", [400, 413, 422])
def test_an_invalid_job_fails_its_step(code):
    cluster = FlowCluster(flow(step("a"), step("b", "a")))
    cluster.refuse["f-a"] = code
    cluster.settle()
    assert cluster.reasons() == {"a": "InvalidJob", "b": "UpstreamFailed"}
    assert cluster.phase == "Failed"


@pytest.mark.parametrize(
    ("webhook", "shown"),
    [
        ("mutate.jobs.batch.volcano.sh", "too many tasks"),
        ("validate.jobs.batch.volcano.sh", "too many tasks"),
        ("house.example.com", 'admission webhook "house.example.com" denied the request: too many tasks'),
    ],
)
def test_the_message_of_an_invalid_job_names_only_webhooks_of_others(webhook, shown):
    cluster = FlowCluster(flow(step("a")))
    said = f'admission webhook "{webhook}" denied the request: too many tasks'
    cluster.refusals["f-a"] = Refusal(422, said, cluster.now)
    cluster.settle()
    assert (cluster.step("a").reason, cluster.step("a").message) == ("InvalidJob", shown)


def test_a_flow_that_volcano_finished_is_not_changed():
    for phase in (FlowPhase.SUCCEED, FlowPhase.FAILED):
        cluster = FlowCluster(flow(step("a"), status=JobFlowStatus(state=FlowState(phase=phase))))
        cluster.settle()
        assert (cluster.created, cluster.writes) == ([], 0)


def test_a_flow_that_volcano_started_continues():
    status = JobFlowStatus(
        state=FlowState(phase=FlowPhase.RUNNING),
        completed_jobs=("f-a",),
        running_jobs=("f-b",),
        job_status_list=(JobEntry(name="f-a", state="Completed", start_timestamp="2026-01-01T00:00:00Z"),),
    )
    cluster = FlowCluster(flow(step("a"), step("b"), step("c", "a", "b"), status=status))
    cluster.settle()
    assert cluster.created == ["f-b"]  # its Job is gone and was seen running: it runs
    assert cluster.phases() == {"a": "Completed", "b": "Pending", "c": "Waiting"}
    cluster.complete("f-b")
    cluster.complete("f-c")
    assert cluster.phase == "Succeed"


def test_a_job_that_exists_without_a_record_is_taken_over():
    cluster = started(step("a"), step("b", "a"))
    cluster.complete("f-a")
    cluster.flow = flow(step("a"), step("b", "a"))  # the status was lost
    cluster.settle()
    assert cluster.created == ["f-a", "f-b"]
    assert cluster.phases() == {"a": "Completed", "b": "Pending"}


def test_retain_keeps_and_delete_removes_jobs_after_the_status_holds_what_they_did():
    for policy, left in (("retain", ["f-a", "f-b"]), ("delete", [])):
        cluster = started(step("a"), step("b", "a"), jobRetainPolicy=policy)
        cluster.complete("f-a")
        assert cluster.deleted == []
        cluster.complete("f-b")
        assert list(cluster.bodies) == left
        assert cluster.status.completed_jobs == ("f-a", "f-b")
        assert (cluster.phase, cluster.status.progress) == ("Succeed", "2/2")


def test_delete_removes_jobs_after_a_failure_too():
    cluster = started(step("a"), step("b", "a"), jobRetainPolicy="delete")
    cluster.fail("f-a")
    assert (cluster.phase, cluster.bodies, cluster.status.failed_jobs) == ("Failed", {}, ("f-a",))


def test_a_finished_flow_is_deleted_when_its_time_is_over():
    cluster = started(step("a"), ttlSecondsAfterFinished=60)
    cluster.complete("f-a")
    assert cluster.decide().decision.requeue_after == 60
    cluster.wait(59)
    assert not cluster.flow_deleted
    cluster.wait(1)
    assert cluster.flow_deleted


def test_a_flow_being_deleted_starts_nothing_and_says_so():
    from msgspec.structs import replace

    cluster = started(step("a"), step("b", "a"))
    metadata = replace(cluster.flow.metadata, deletion_timestamp="2027-01-01T00:00:00Z")
    cluster.flow = replace(cluster.flow, metadata=metadata)
    cluster.complete("f-a")
    assert cluster.created == ["f-a"]
    assert cluster.phase == "Terminating"


def test_a_rejection_recorded_in_the_future_does_not_delay_the_next_try():
    """Seen in the fault runs: the Job came when the clock was where it had been."""
    cluster = FlowCluster(flow(step("a")))
    cluster.refuse["f-a"] = 403
    cluster.settle()
    del cluster.refuse["f-a"]
    cluster.now -= 3600
    cluster.settle()
    assert cluster.created == ["f-a"]


QUEUES = {
    "closed": ({"default": "Closed"}, "queue default is closed"),
    "closing": ({"default": "Closing"}, "queue default is closing"),
    "open": ({"default": "Open"}, ""),
    "new": ({"default": ""}, ""),
    "not seen yet": ({}, ""),
    "another one": ({"q": "Closed"}, ""),
}


@pytest.mark.parametrize(("states", "message"), QUEUES.values(), ids=QUEUES.keys())
def test_no_job_is_created_in_a_queue_that_takes_none(states, message):
    found = FlowCluster(flow(step("a"))).decide_with(queue_states=states)
    a = found.decision.status["steps"][0]
    assert (a.get("message", ""), len(found.decision.actions)) == (message, 0 if message else 1)
    assert (a["phase"], a.get("reason", "")) == (("Waiting", "QueueClosed") if message else ("Pending", ""))
