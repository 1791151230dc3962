"""Failed iterations: failFast x tolerate x failureStrategy x allowFailure x parallelism (docs/design/jobflow-api.md, section 5.2)."""

import itertools

import pytest

from shared.model.phases import JobPhase
from tests.controller.jobflow.make import FlowCluster, started, step

ITEMS = list("abcde")
# What a loop does after a failure that it does not tolerate, by failFast, failureStrategy and allowFailure.
COURSES = {
    (None, "Stop", False): "finish",
    (None, "Continue", False): "run all",
    (None, "FailFast", False): "terminate",
    (None, "Stop", True): "run all",
    (None, "Continue", True): "run all",
    (None, "FailFast", True): "run all",
    (True, "Stop", False): "terminate",
    (True, "Continue", False): "terminate",
    (True, "FailFast", False): "terminate",
    (True, "Stop", True): "terminate",
    (True, "Continue", True): "terminate",
    (True, "FailFast", True): "terminate",
    (False, "Stop", False): "run all",
    (False, "Continue", False): "run all",
    (False, "FailFast", False): "run all",
    (False, "Stop", True): "run all",
    (False, "Continue", True): "run all",
    (False, "FailFast", True): "run all",
}
TOLERATED = {None: 0, 1: 1, "40%": 2, "10%": 0, "1": 1}
CELLS = [
    (*course, tolerate, parallelism)
    for course, tolerate, parallelism in itertools.product(COURSES, TOLERATED, (None, 1, 2))
]


@pytest.mark.parametrize(("fail_fast", "strategy", "allow", "tolerate", "parallelism"), CELLS)
def test_the_first_failed_iteration(fail_fast, strategy, allow, tolerate, parallelism):
    cluster = loop_and_neighbour(fail_fast, strategy, allow, tolerate, parallelism)
    running = min(parallelism or 5, 5)
    cluster.fail("f-s-0")
    exceeded = TOLERATED[tolerate] == 0
    course = COURSES[fail_fast, strategy, allow] if exceeded else "run all"

    loop = cluster.step("s").iterations
    assert loop.failed_indexes == "0"
    assert cluster.status.state.reason == ("StepFailed" if exceeded and not allow else "")
    stopped = exceeded and not allow and strategy == "FailFast"
    assert cluster.phases()["other"] == ("Terminated" if stopped else "Pending")
    if course == "terminate":
        assert str(cluster.step("s").phase) == "Failed"
        assert loop.terminated_indexes == indexes(range(1, running))
        assert loop.not_started == indexes(range(running, 5))
        return
    assert str(cluster.step("s").phase) == "Failed" if running == 1 and course == "finish" else "Running"
    assert (cluster.step("s").reason == "IterationFailed") is exceeded

    while jobs := [name for name in cluster.unfinished() if name.startswith("f-s")]:
        cluster.complete(jobs[0])
    loop, ran = cluster.step("s").iterations, 5 if course == "run all" else running
    assert str(cluster.step("s").phase) == ("Failed" if exceeded else "Completed")
    assert loop.completed_indexes == indexes(range(1, ran))
    assert loop.not_started == indexes(range(ran, 5))
    assert (loop.failed_indexes, loop.terminated_indexes) == ("0", "")


@pytest.mark.parametrize(("fail_fast", "strategy", "allow", "tolerate", "parallelism"), CELLS)
def test_every_iteration_that_runs_fails(fail_fast, strategy, allow, tolerate, parallelism):
    cluster = loop_and_neighbour(fail_fast, strategy, allow, tolerate, parallelism)
    course = COURSES[fail_fast, strategy, allow]
    while jobs := [name for name in cluster.unfinished() if name.startswith("f-s")]:
        cluster.fail(jobs[0])
    step_, width, fails = cluster.step("s"), parallelism or 5, TOLERATED[tolerate] + 1
    begun = 5 if course == "run all" else min(5, fails - 1 + width)
    failed = fails if course == "terminate" else begun
    assert (str(step_.phase), step_.reason) == ("Failed", "IterationFailed")
    assert step_.iterations.failed_indexes == indexes(range(failed))
    assert step_.iterations.terminated_indexes == indexes(range(failed, begun))
    assert step_.iterations.not_started == indexes(range(begun, 5))


def loop_and_neighbour(fail_fast, strategy, allow, tolerate, parallelism) -> FlowCluster:
    settings = {"failFast": fail_fast, "tolerate": tolerate, "parallelism": parallelism}
    given = {name: value for name, value in settings.items() if value is not None}
    loop = step("s", for_={"items": ITEMS, **given}, allowFailure=allow)
    return started(loop, step("other"), failureStrategy=strategy)


def indexes(found: range) -> str:
    return "" if not found else str(found[0]) if len(found) == 1 else f"{found[0]}-{found[-1]}"


def test_items_for_which_for_if_is_false_are_skipped():
    loop = {"items": ITEMS, "if": "item != 'b' && index != 3 && params.skip != item"}
    seen = "steps.s.iterations.filter(i, i.phase == 'Skipped' && i.reason == 'ConditionFalse').size() == 3"
    cluster = started(step("s", for_=loop), step("t", "s", if_=seen), params=[{"name": "skip", "value": "e"}])
    assert cluster.created == ["f-s-0", "f-s-2"]
    cluster.complete("f-s-0", "f-s-2")
    found = cluster.step("s")
    assert (str(found.phase), found.iterations.skipped_indexes) == ("Completed", "1,3-4")
    assert cluster.created[-1] == "f-t"


def test_a_loop_of_which_every_item_is_skipped_completes():
    cluster = started(step("s", for_={"items": ITEMS, "if": "false"}), step("t", "s"))
    assert (str(cluster.step("s").phase), cluster.created) == ("Completed", ["f-t"])


def test_a_condition_of_an_item_that_has_no_value_fails_the_step():
    cluster = started(step("s", for_={"items": ["a"], "if": "item.k == 'b'"}))
    assert cluster.step("s").reason == "InvalidExpression"
    assert cluster.step("s").message.startswith("for.if: ")


def test_steps_see_every_item_of_an_ended_loop_with_its_phase_and_reason():
    loop = {"items": ITEMS, "if": "index != 1", "parallelism": 2, "failFast": True}
    shown = "steps.s.iterations.map(i, i.phase + '/' + i.reason).join(' ')"
    patch = {"jsonPatch": [{"op": "add", "path": "/tasks/0/template/spec/containers/0/image", "expression": shown}]}
    cluster = started(step("s", for_=loop, allowFailure=True), step("t", "s", patch=patch))
    cluster.fail("f-s-0")
    want = "Failed/JobFailed Skipped/ConditionFalse Terminated/IterationFailed Skipped/NotStarted Skipped/NotStarted"
    assert cluster.bodies["f-t"]["spec"]["tasks"][0]["template"]["spec"]["containers"][0]["image"] == want


def test_a_completed_step_reports_tolerated_failures():
    cluster = started(step("s", for_={"items": ITEMS, "tolerate": "20%"}))
    cluster.fail("f-s-4")
    cluster.complete("f-s-0", "f-s-1", "f-s-2", "f-s-3")
    assert (cluster.phase, cluster.step("s").message) == ("Succeed", "1 of 5 iterations failed (tolerated)")


def test_a_failed_attempt_that_is_tried_again_is_no_final_failure():
    loop = step("s", for_={"items": ITEMS}, retry={"limit": 1, "backoff": {"duration": "1s"}})
    cluster = started(loop, step("other"), failureStrategy="FailFast")
    cluster.fail("f-s-0")
    assert (cluster.phases()["other"], cluster.status.state.reason) == ("Pending", "")
    cluster.wait(5)
    cluster.fail("f-s-0-r1")
    assert cluster.phases() == {"s": "Failed", "other": "Terminated"}
    assert cluster.step("s").iterations.terminated_indexes == "1-4"


def test_an_iteration_that_waits_for_another_attempt_when_its_loop_stops_has_failed():
    retry = {"limit": 1, "backoff": {"duration": "1h"}, "if": "attempt.exitCode == 7"}
    cluster = started(step("s", for_={"items": ITEMS, "parallelism": 3}, retry=retry))
    cluster.fail("f-s-1", code=7)
    cluster.fail("f-s-0")
    cluster.complete("f-s-2", "f-s-3")
    found = cluster.step("s").iterations
    assert (found.failed_indexes, found.completed_indexes, found.not_started) == ("0-1", "2-3", "4")


def test_a_stopped_flow_lists_terminated_iterations_and_those_not_started():
    cluster = started(step("s", for_={"items": ITEMS, "parallelism": 2}))
    cluster.complete("f-s-0")
    cluster.command("TerminateJobFlow")
    found = cluster.step("s")
    assert (str(found.phase), found.reason) == ("Terminated", "Terminated")
    assert (found.iterations.terminated_indexes, found.iterations.not_started) == ("1-2", "3-4")
    assert found.iterations.failed_indexes == ""


def test_retry_runs_failed_terminated_and_unstarted_items_again_but_not_skipped_ones():
    loop = {"items": ITEMS, "parallelism": 2, "failFast": True, "if": "index != 4"}
    cluster = started(step("s", for_=loop))
    cluster.fail("f-s-0")
    cluster.command("RetryJobFlow")
    for job in ("f-s-0-r1", "f-s-1-r1", "f-s-2-r1", "f-s-3-r1"):
        cluster.complete(job)
    assert (cluster.phase, cluster.step("s").iterations.skipped_indexes) == ("Succeed", "4")


def test_a_while_loop_continues_after_tolerated_failures():
    cluster = started(step("s", for_={"while": "index < 3", "tolerate": 1}))
    cluster.complete("f-s-0")
    cluster.fail("f-s-1")
    cluster.complete("f-s-2")
    assert (cluster.phase, cluster.step("s").iterations.failed_indexes) == ("Succeed", "1")


def test_a_while_loop_ends_with_a_failure_that_it_does_not_tolerate():
    cluster = started(step("s", for_={"while": "index < 3"}), failureStrategy="Continue")
    cluster.fail("f-s-0")
    assert (cluster.phase, cluster.created) == ("Failed", ["f-s-0"])


def test_a_loop_of_finally_runs_every_item():
    cluster = started(step("a"), finally_=[step("tidy", for_={"items": ITEMS, "parallelism": 1})])
    cluster.complete("f-a")
    cluster.fail("f-tidy-0")
    for index in range(1, 5):
        cluster.complete(f"f-tidy-{index}")
    assert (cluster.phase, cluster.step("tidy").iterations.failed_indexes) == ("Failed", "0")


def test_a_failing_loop_keeps_its_reason_while_it_waits_for_a_slot():
    loop = step("s", for_={"items": ITEMS}, retry={"limit": 0})
    cluster = started(loop, failureStrategy="Continue", parallelism=1)
    cluster.fail("f-s-0")
    found = cluster.step("s")
    assert (str(found.phase), found.reason) == ("Running", "IterationFailed")
    assert (
        cluster.status.state.message
        == "step s failed: IterationFailed: iteration 0 failed: JobFailed: Job f-s-0 is Failed"
    )
    assert (
        "IterationFailed",
        "step s has failed iterations: IterationFailed: " + found.message.partition(": ")[2],
    ) in [(reason, message.replace("iteration 0 failed: ", "")) for reason, message in cluster.notes]


def test_the_steps_behind_a_failing_loop_are_skipped_for_it():
    cluster = started(step("s", for_={"items": ITEMS}), step("t", "s"), step("u", "t"), step("x"), step("y", "x"))
    cluster.fail("f-s-0")
    assert cluster.reasons() == {
        "s": "IterationFailed",
        "t": "UpstreamFailed",
        "u": "UpstreamFailed",
        "y": "FlowStopped",
    }


def test_of_several_failing_loops_the_first_of_the_spec_is_named():
    """Whatever the order of sets, which is another one in each process."""
    loops = [f"loop{number}" for number in range(8)]
    steps = [step(name, for_={"items": ["x", "y"]}) for name in loops]
    cluster = started(*steps, step("t", *loops))
    for name in loops:
        cluster.set_job(f"f-{name}-0", JobPhase.FAILED)
    cluster.settle()
    assert cluster.step("t").message == "an iteration of loop0 has failed"
