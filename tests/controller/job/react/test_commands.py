"""Commands: recorded before they are deleted, for one Job only, and carried out once."""

import pytest

from shared.kinds import COMMAND
from tests.controller.job.make import task
from tests.controller.job.toy import Crash, started

PHASES = {"AbortJob": "Aborted", "TerminateJob": "Terminated", "CompleteJob": "Completed"}


@pytest.mark.parametrize(("action", "phase"), PHASES.items())
def test_a_command_takes_effect_and_is_deleted(action: str, phase: str) -> None:
    cluster = started().order(action).settle()
    assert cluster.names(COMMAND) == []
    assert cluster.vanish().settle().phase == phase
    assert [message.partition(":")[0] for message in cluster.text("CommandIssued")] == [action]


def test_a_restart_by_command_counts_as_one() -> None:
    cluster = started().order("RestartJob").settle().vanish().settle().run().settle()
    assert (cluster.phase, cluster.status.retry_count) == ("Running", 1)


def test_a_command_is_not_carried_out_twice_when_its_deletion_was_lost() -> None:
    cluster = started().order("RestartJob")
    cluster.crash_after = 1
    with pytest.raises(Crash):
        cluster.look()
    assert cluster.names(COMMAND) != []
    cluster.crash_after = None
    cluster.settle()
    assert (cluster.status.retry_count, cluster.names(COMMAND)) == (1, [])


def test_a_command_for_an_earlier_job_of_this_name_is_dropped_with_an_event() -> None:
    cluster = started().order("AbortJob", uid="gone").settle()
    assert (cluster.phase, cluster.names(COMMAND)) == ("Running", [])
    assert "uid gone" in cluster.text("StaleCommand")[0]


@pytest.mark.parametrize("action", ["Explode", "RestartPod", ""])
def test_an_unknown_command_is_dropped_with_an_event(action: str) -> None:
    cluster = started().order(action).settle()
    assert (cluster.phase, cluster.names(COMMAND)) == ("Running", [])
    assert "is none of AbortJob, ResumeJob, RestartJob, TerminateJob, CompleteJob" in cluster.text("UnknownCommand")[0]


def test_two_commands_are_taken_in_order() -> None:
    cluster = started(task("w", 1)).order("AbortJob").wait(1).order("ResumeJob").settle().vanish().settle()
    assert (cluster.phase, cluster.status.version) == ("Pending", 2)


def test_the_reason_of_a_command_becomes_the_jobs() -> None:
    cluster = started().order("AbortJob", reason="Maintenance", message="node work").settle()
    assert (cluster.reason, cluster.status.state.message.endswith("(node work): AbortJob")) == ("Maintenance", True)


def test_only_the_last_commands_are_remembered() -> None:
    cluster = started()
    for _ in range(25):
        cluster.order("ResumeJob").settle()
    assert len(cluster.status.handled_commands) == 20
