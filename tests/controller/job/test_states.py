"""The table: every phase and action is considered, and moves mean what the decisions say."""

from itertools import product

import pytest

from controller.job.model.pods_by_role import STOPPED
from controller.job.phase.phases import _RULES
from controller.job.react.transitions import FINAL_PHASE, NO_EFFECT, TRANSITIONS, Budget
from controller.job.status.job_status import dumped
from shared.model.job_status import JobStatus
from shared.model.phases import JobAction, JobPhase
from tests.controller.job.make import task
from tests.controller.job.toy import started


def test_every_phase_and_action_is_considered() -> None:
    assert set(TRANSITIONS) | NO_EFFECT == set(product(JobPhase, JobAction))
    assert not set(TRANSITIONS) & NO_EFFECT


def test_every_phase_but_the_final_ones_has_a_transition() -> None:
    resting = {JobPhase.ABORTED, *(phase for phase in JobPhase if phase.finished)}
    assert set(_RULES) == set(JobPhase) - resting
    assert set(FINAL_PHASE) | set(FINAL_PHASE.values()) <= STOPPED


BUDGETS = {
    JobAction.RESTART_JOB: Budget.JOB,
    JobAction.RESTART_TASK: Budget.TASK,
    JobAction.RESTART_POD: Budget.TASK,
    JobAction.RESTART_PARTITION: Budget.TASK,
}


@pytest.mark.parametrize(
    ("pair", "transition"), TRANSITIONS.items(), ids=lambda value: "-".join(value) if isinstance(value, tuple) else ""
)
def test_the_budget_of_each_transition(pair: tuple[JobPhase, JobAction], transition: object) -> None:
    assert TRANSITIONS[pair].budget is BUDGETS.get(pair[1], Budget.NOTHING)


@pytest.mark.parametrize("action", ["AbortJob", "CompleteJob", "TerminateJob"])
def test_late_pod_events_do_not_change_a_stopped_job(action: str) -> None:
    cluster = started(task("w", 2)).order(action).settle()
    stopping = cluster.phase
    cluster.fail("w-0").evict("w-1").settle()
    assert cluster.phase == stopping
    assert cluster.vanish().settle().phase in ("Aborted", "Completed", "Terminated")


def test_a_finished_job_ignores_every_command() -> None:
    cluster = started().succeed().settle()
    for action in ("AbortJob", "ResumeJob", "RestartJob", "TerminateJob", "CompleteJob"):
        cluster.order(action).settle()
    assert cluster.phase == "Completed"
    assert len(cluster.text("CommandIgnored")) == 5


def test_running_pods_are_written_also_when_there_are_none() -> None:
    """`kubectl get` shows nothing where the number is absent."""
    assert dumped(JobStatus())["running"] == 0
    assert dumped(JobStatus(running=3))["running"] == 3
