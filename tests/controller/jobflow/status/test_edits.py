"""Edits of a flow that runs (docs/design/jobflow-api.md, section 7)."""

from msgspec.structs import replace

from tests.controller.jobflow.make import TEMPLATE, FlowCluster, flow, started, step


def edit(cluster: FlowCluster, *steps, **spec) -> None:
    wanted = flow(*steps, **spec)
    metadata = replace(cluster.flow.metadata, generation=cluster.flow.metadata.generation + 1)
    cluster.flow = replace(cluster.flow, spec=wanted.spec, metadata=metadata)
    for one in (*wanted.spec.flows, *wanted.spec.finally_):
        cluster.templates.setdefault(one.template_name, TEMPLATE)
    cluster.settle()


def test_a_step_may_be_added_to_a_flow_that_runs():
    cluster = started(step("a"), step("b", "a"))
    edit(cluster, step("a"), step("b", "a"), step("c", "a"), step("d"))
    assert cluster.created == ["f-a", "f-d"]
    assert cluster.status.observed_generation == 2
    cluster.complete("f-a")
    assert cluster.created == ["f-a", "f-d", "f-b", "f-c"]


def test_a_waiting_step_may_be_edited_and_removed():
    cluster = started(step("a"), step("b", "a"), step("c", "b"))
    edit(cluster, step("a"), step("c", "a"))
    cluster.complete("f-a")
    assert cluster.created == ["f-a", "f-c"]
    cluster.complete("f-c")
    assert (cluster.phase, cluster.status.progress) == ("Succeed", "2/2")


def test_the_job_of_a_step_that_was_removed_too_late_is_terminated_and_removed():
    cluster = started(step("a"), step("b"))
    edit(cluster, step("a"))
    assert cluster.deleted == ["f-b"]
    assert "SpecChangedTooLate" in [reason for reason, _ in cluster.notes]
    cluster.complete("f-a")
    assert cluster.phase == "Succeed"


def test_edits_do_not_restart_an_ended_flow():
    cluster = started(step("a"))
    cluster.complete("f-a")
    edit(cluster, step("a"), step("b"))
    assert cluster.created == ["f-a"]
    assert cluster.phase == "Succeed"


def test_an_edit_after_the_job_was_created_is_reported_and_the_job_runs_unchanged():
    cluster = started(step("a"), step("b"))
    edit(cluster, step("a", retry={"limit": 3}), step("b"))
    reported = [message for reason, message in cluster.notes if reason == "SpecChangedTooLate"]
    assert reported == ["step a was edited after its Job had been created; the Job runs as it was"]
    assert cluster.created == ["f-a", "f-b"]
