"""`finallyDeadlineSeconds`, and Commands that have no effect (docs/design/jobflow-api.md, section 7)."""

from msgspec.structs import replace

from tests.controller.jobflow.make import started, step


def test_finally_ends_at_its_deadline_and_fails_the_flow():
    cluster = started(step("a"), finally_=[step("tidy"), step("other")], finallyDeadlineSeconds=10)
    cluster.complete("f-a")
    cluster.run("f-tidy")
    cluster.complete("f-other")
    cluster.wait(9)
    assert cluster.phases()["tidy"] == "Running"
    cluster.wait(1)
    assert (cluster.phase, cluster.phases()["tidy"]) == ("Failed", "Terminated")
    assert cluster.step("tidy").reason == "DeadlineExceeded"
    assert [reason for reason, _ in cluster.notes].count("FinallyDeadlineExceeded") == 1


def test_a_deadline_may_be_added_while_finally_runs():
    cluster = started(step("a"), finally_=[step("tidy")])
    cluster.complete("f-a")
    cluster.wait(100)
    metadata = replace(cluster.flow.metadata, generation=2)
    spec = replace(cluster.flow.spec, finally_deadline_seconds=60)
    cluster.flow = replace(cluster.flow, metadata=metadata, spec=spec)
    cluster.settle()
    assert (cluster.phase, cluster.phases()["tidy"]) == ("Failed", "Terminated")


def test_a_second_stop_does_not_end_finally_and_reports_it():
    cluster = started(step("a"), finally_=[step("tidy")])
    cluster.command("TerminateJobFlow")
    assert cluster.phases() == {"a": "Terminated", "tidy": "Pending"}
    cluster.command("TerminateJobFlow")
    assert cluster.phases() == {"a": "Terminated", "tidy": "Pending"}
    reported = [message for reason, message in cluster.notes if reason == "CommandWithoutEffect"]
    assert len(reported) == 1
    assert "only `finally` runs, which a stop does not end; `jobflow stop --force` or" in reported[0]


def test_each_command_without_effect_is_reported():
    cluster = started(step("a"))
    cluster.command("ResumeJobFlow")
    cluster.command("RetryJobFlow")
    cluster.complete("f-a")
    cluster.command("TerminateJobFlow")
    reported = [message.partition(": ")[2] for reason, message in cluster.notes if reason == "CommandWithoutEffect"]
    assert reported == [
        "ResumeJobFlow has no effect: the flow is not suspended",
        "RetryJobFlow has no effect: none of the flow's steps has failed",
        "TerminateJobFlow has no effect: the flow has ended",
    ]
