"""A status that was never stored (a conflict, a cut connection, a crash after the creates) does not cause the deletion
of any Job."""

from typing import Any

import pytest
from msgspec.structs import replace

from controller.jobflow.model.observed import FlowCommand
from shared.model.flow_status import JobFlowStatus
from shared.model.phases import JobPhase
from shared.timestamp import rfc3339
from tests.controller.jobflow.make import FlowCluster, flow, step

BEGUN: dict[str, dict[str, Any]] = {
    "a plain step": {},
    "a daemon": {"daemon": True},
    "items": {"for": {"items": ["x", "y", "z"]}},
    "items one by one": {"for": {"items": ["x", "y"], "parallelism": 1}},
    "a range": {"for": {"range": {"end": 2}}},
    "an expression": {"for": {"expression": "['p', 'q']"}},
    "while": {"for": {"while": "index < 2"}},
}


@pytest.mark.parametrize("phase", [None, JobPhase.PENDING, JobPhase.RUNNING, JobPhase.COMPLETED])
@pytest.mark.parametrize("fields", BEGUN.values(), ids=BEGUN.keys())
def test_jobs_that_the_status_does_not_mention_continue(fields: dict[str, Any], phase: JobPhase | None) -> None:
    cluster = FlowCluster(flow(step("a", **fields), step("b", "a")))
    cluster.turn()
    first = list(cluster.created)
    cluster.flow = replace(cluster.flow, status=JobFlowStatus())
    if phase is not None:
        cluster.set_job(first[0], phase)
    cluster.settle()
    assert cluster.ordered == {}, "a Job was terminated"
    for _ in range(5):
        cluster.complete(*[name for name in cluster.created if name not in cluster.deleted])
    assert cluster.phase == "Succeed"
    assert first == cluster.created[: len(first)]


def test_iterations_from_before_a_restart_are_terminated_although_no_new_one_is_recorded() -> None:
    cluster = FlowCluster(flow(step("a", **{"for": {"items": ["x", "y"]}})))
    cluster.settle()
    before = {body["metadata"]["uid"] for body in cluster.bodies.values()}
    cluster.command("RestartJobFlow")
    assert before <= set(cluster.ordered)


ENDS = {JobPhase.FAILED: "Failed", JobPhase.COMPLETED: "Succeed", JobPhase.RUNNING: "Running"}
FAILED: dict[str, tuple[dict[str, Any], int]] = {
    "a step": ({}, 0),
    "a loop that failed": ({"for": {"range": {"end": 1}}}, 0),
    "a loop that completed an iteration": ({"for": {"items": ["x", "y"]}}, 1),
    "a loop whose first iteration failed": ({"for": {"items": ["x", "y"]}}, 0),
}
"""Fields of the step, and which of its Jobs fails. The others complete."""


def _failed(fields: dict[str, Any], fails: int) -> FlowCluster:
    cluster = FlowCluster(flow(step("a", **fields)))
    cluster.settle()
    for number, name in enumerate(cluster.created):
        cluster.set_job(name, JobPhase.FAILED if number == fails else JobPhase.COMPLETED)
    cluster.settle()
    assert cluster.phase == "Failed"
    return cluster


def _run_again_and_lose_the_status(cluster: FlowCluster, action: str) -> list[str]:
    """Let a Command create Jobs, and forget the status that records them; returns the Jobs."""
    stored, before = cluster.flow.status, len(cluster.created)
    command = FlowCommand("c", "cu", action, rfc3339(cluster.now))
    cluster.commands.append(command)
    while len(cluster.created) == before:
        cluster.turn()
    cluster.flow = replace(cluster.flow, status=stored)
    cluster.commands[:] = [command]
    return cluster.created[before:]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("action", ["RestartJobFlow", "RetryJobFlow"])
@pytest.mark.parametrize(("fields", "fails"), FAILED.values(), ids=FAILED.keys())
def test_a_command_whose_status_was_lost_takes_up_the_jobs_that_it_had_created(
    fields: dict[str, Any], fails: int, action: str, end: JobPhase
) -> None:
    cluster = _failed(fields, fails)
    first = list(cluster.created)
    again = _run_again_and_lose_the_status(cluster, action)
    assert len(again) == (len(first) if action == "RestartJobFlow" else 1)
    for name in again:
        cluster.set_job(name, end)
    cluster.settle()
    assert cluster.created == [*first, *again]
    assert cluster.ordered == {}, "a Job was terminated"
    assert cluster.phase == ENDS[end]


@pytest.mark.parametrize("action", ["RestartJobFlow", "RetryJobFlow"])
@pytest.mark.parametrize(("fields", "fails"), FAILED.values(), ids=FAILED.keys())
def test_a_stop_terminates_the_jobs_of_a_command_whose_status_was_lost(
    fields: dict[str, Any], fails: int, action: str
) -> None:
    cluster = _failed(fields, fails)
    again = _run_again_and_lose_the_status(cluster, action)
    cluster.commands.append(FlowCommand("s", "su", "TerminateJobFlow", rfc3339(cluster.now)))
    cluster.settle()
    assert cluster.status.outcome == "Terminated"
    assert cluster.status.completion_time is not None
    known = len(cluster.created)
    cluster.command("RestartJobFlow")
    assert cluster.status.completion_time is None
    assert len(cluster.created) > known, "the flow took up a Job that it had terminated"
    assert set(cluster.ordered) == {cluster.bodies[name]["metadata"]["uid"] for name in again}


@pytest.mark.parametrize("failures", [0, 1])
@pytest.mark.parametrize("fields", BEGUN.values(), ids=BEGUN.keys())
def test_a_lost_status_write_is_recovered_wherever_it_happens(fields: dict[str, Any], failures: int) -> None:
    again = {} if fields.get("daemon") else {"retry": {"limit": 2, "backoff": {"duration": "1s"}}}
    cluster = FlowCluster(flow(step("a", **fields, **again), step("b", "a")))
    for _ in range(20):
        stored = cluster.flow.status
        cluster.turn()
        cluster.flow = replace(cluster.flow, status=stored)
        cluster.turn()
        for name, body in cluster.bodies.items():
            if "status" not in body:
                fails = again and failures and name.endswith(("-a", "-0"))
                cluster.set_job(name, JobPhase.FAILED if fails else JobPhase.COMPLETED)
        cluster.now += 2
    assert cluster.ordered == {}, "a Job was terminated"
    assert cluster.phase == "Succeed"
    assert len(cluster.created) == len(set(cluster.created))


SERVED: dict[str, tuple[list[dict[str, Any]], list[str], dict[str, JobPhase]]] = {
    "a step": ([step("d", daemon=True), step("u", "d")], ["f-d"], {"f-u": JobPhase.COMPLETED}),
    "a loop": (
        [step("d", daemon=True), step("u", "d", **{"for": {"range": {"end": 2}}})],
        ["f-d"],
        {"f-u-0": JobPhase.COMPLETED, "f-u-1": JobPhase.COMPLETED},
    ),
    "a looping daemon": (
        [step("d", daemon=True, **{"for": {"range": {"end": 2}}}), step("u", "d")],
        ["f-d-0", "f-d-1"],
        {"f-u": JobPhase.COMPLETED},
    ),
    "the whole flow": ([step("d", daemon=True), step("u")], ["f-d"], {"f-u": JobPhase.COMPLETED}),
    "until all others wait for its end": (
        [step("d", daemon=True), step("z", "d", condition="Ended"), step("x", "d", "z")],
        [],
        {"f-d": JobPhase.RUNNING},
    ),
}
"""Steps, the Jobs of the daemon that run, and what happens to Jobs before the daemon is stopped."""


@pytest.mark.parametrize("case", SERVED)
def test_a_daemon_that_was_stopped_before_the_status_was_lost_counts_as_completed(case: str) -> None:
    """Seed 3059 of the fault runs: the API server refused the status of the pass that stopped the daemon."""
    steps, serving, changes = SERVED[case]
    cluster = FlowCluster(flow(*steps))
    cluster.settle()
    cluster.run(*serving)
    stored = cluster.flow.status
    for name, phase in changes.items():
        cluster.set_job(name, phase)
    while not cluster.ordered:
        cluster.turn()
    cluster.flow = replace(cluster.flow, status=stored)
    cluster.ordered.clear()  # another controller leads
    cluster.settle()
    while unfinished := cluster.unfinished():
        cluster.complete(*unfinished)
    assert (cluster.phases()["d"], cluster.phase) == ("Completed", "Succeed")


STOPPED: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "a step before the one that failed": ([step("side"), step("fan")], "f-fan", "FailFast"),
    "a step that would be retried": ([step("side", retry={"limit": 2}), step("fan")], "f-fan", "FailFast"),
    "iterations of a loop": ([step("fan", **{"for": {"range": {"end": 3}, "failFast": True}})], "f-fan-1", "Continue"),
    "iterations, and a step before the loop": (
        [step("side"), step("fan", **{"for": {"range": {"end": 3}}})],
        "f-fan-1",
        "FailFast",
    ),
}
"""Steps, the Job that fails, and the failure strategy."""


def _stopped(case: str, *, lost: bool) -> JobFlowStatus:
    """The status of the flow after the failure; `lost`: that of the pass that terminated other Jobs was not stored."""
    steps, fails, strategy = STOPPED[case]
    cluster = FlowCluster(flow(*steps, failureStrategy=strategy))
    cluster.settle()
    cluster.run(*cluster.unfinished())
    stored = cluster.flow.status
    cluster.set_job(fails, JobPhase.FAILED)
    while not cluster.ordered:
        cluster.turn()
    if lost:
        cluster.flow = replace(cluster.flow, status=stored)
        cluster.ordered.clear()  # another controller leads
    cluster.settle()
    cluster.wait(3600)
    return cluster.status


@pytest.mark.parametrize("case", STOPPED)
def test_jobs_that_were_terminated_before_the_status_was_lost_are_not_taken_for_the_cause(case: str) -> None:
    wanted, found = _stopped(case, lost=False), _stopped(case, lost=True)
    assert [(one.name, one.phase, one.reason, one.message) for one in found.steps] == [
        (one.name, one.phase, one.reason, one.message) for one in wanted.steps
    ]
    assert [one.iterations for one in found.steps] == [one.iterations for one in wanted.steps]
    assert (found.outcome, found.state.message) == (wanted.outcome, wanted.state.message)
