"""for: items, matrix, range, expression, while (docs/design/jobflow-api.md, section 5.2)."""

import pytest
from msgspec.structs import replace

from shared.timestamp import rfc3339
from tests.controller.jobflow.make import FlowCluster, flow, started, step

OUT = [{"name": "grade", "key": "grade"}]


def env_of(cluster: FlowCluster, job: str) -> str:
    return str(cluster.bodies[job]["spec"]["tasks"][0]["template"]["spec"]["containers"][0]["args"])


def looping(source: dict, **more) -> dict:
    container = {"name": "c", "args": ["$(item) $(index)"]}
    patch = {"jobSpec": {"tasks": [{"name": "main", "template": {"spec": {"containers": [container]}}}]}}
    return step("s", for_=source, patch=patch, **more)


SOURCES = {
    "items": ({"items": ["x", "y"]}, ["x 0", "y 1"]),
    "maps": ({"items": [{"k": "v"}]}, ['{"k":"v"} 0']),
    "matrix": (
        {"matrix": {"lr": ["1", "2"], "bs": ["8"]}},
        ['{"bs":"8","lr":"1"} 0', '{"bs":"8","lr":"2"} 1'],
    ),
    "range": ({"range": {"start": 2, "end": 7, "step": 2}}, ["2 0", "4 1", "6 2"]),
    "a range downwards": ({"range": {"start": 2, "end": 0, "step": -1}}, ["2 0", "1 1"]),
    "expression": ({"expression": "['p', 'q'].map(x, x + x)"}, ["pp 0", "qq 1"]),
}


@pytest.mark.parametrize(("source", "want"), SOURCES.values(), ids=SOURCES.keys())
def test_a_loop_runs_once_per_item(source, want):
    cluster = started(looping(source), step("after", "s"))
    jobs = [f"f-s-{index}" for index in range(len(want))]
    assert cluster.created == jobs
    assert [env_of(cluster, job) for job in jobs] == [f"['{text}']" for text in want]
    cluster.complete(*jobs)
    assert cluster.created[-1] == "f-after"
    assert cluster.step("s").iterations.completed_indexes == ("0" if len(want) == 1 else f"0-{len(want) - 1}")


def test_an_empty_loop_completes_at_once():
    cluster = started(looping({"items": []}), step("after", "s"))
    assert cluster.created == ["f-after"]


def test_a_loop_keeps_to_its_parallelism():
    cluster = started(looping({"items": list("abcde"), "parallelism": 2}))
    assert cluster.created == ["f-s-0", "f-s-1"]
    cluster.complete("f-s-1")
    assert cluster.created == ["f-s-0", "f-s-1", "f-s-2"]
    assert cluster.step("s").iterations.running == 2


def test_a_loop_with_too_many_items_fails():
    cluster = started(looping({"items": list("abc"), "maxIterations": 2}))
    assert cluster.step("s").reason == "TooManyIterations"
    assert cluster.created == []


def test_after_a_failed_iteration_nothing_new_starts_and_what_runs_finishes():
    cluster = started(looping({"items": list("abcd"), "parallelism": 2}))
    cluster.fail("f-s-0")
    assert cluster.created == ["f-s-0", "f-s-1"]
    assert str(cluster.step("s").phase) == "Running"
    cluster.complete("f-s-1")
    assert cluster.step("s").reason == "IterationFailed"
    assert cluster.phase == "Failed"
    assert cluster.step("s").pods.failed == 0


def test_a_while_loop_runs_one_after_the_other_until_an_output_says_so():
    source = {"while": "index == 0 || last.outputs.done != 'yes'"}
    cluster = started(
        step("s", for_=source, outputs=[{"name": "done"}]), step("t", "s", if_="steps.s.outputs.done == 'yes'")
    )
    assert cluster.created == ["f-s-0"]
    cluster.complete("f-s-0", message="no\n")
    cluster.complete("f-s-1", message="yes\n")
    assert cluster.created == ["f-s-0", "f-s-1", "f-t"]
    assert cluster.step("s").iterations.outputs == {"0": {"done": "no"}, "1": {"done": "yes"}}


def test_a_while_loop_that_never_ends_fails():
    cluster = started(step("s", for_={"while": "true", "maxIterations": 2}))
    cluster.complete("f-s-0")
    cluster.complete("f-s-1")
    assert (cluster.created, cluster.step("s").reason) == (["f-s-0", "f-s-1"], "TooManyIterations")


def test_iterations_are_seen_by_later_steps():
    test = "steps.s.iterations.size() == 2 && steps.s.iterations.all(i, i.outputs.n == '1')"
    cluster = started(step("s", for_={"items": ["a", "b"]}, outputs=[{"name": "n"}]), step("t", "s", if_=test))
    cluster.complete("f-s-0", "f-s-1", message="1")
    assert cluster.created[-1] == "f-t"


def test_items_that_are_not_the_same_after_a_crash_fail_the_step():

    cluster = started(step("s", for_={"expression": "['a', 'b']", "parallelism": 1}))
    cluster.flow = replace(flow(step("s", for_={"expression": "['a', 'c']", "parallelism": 1})), status=cluster.status)
    cluster.complete("f-s-0")
    assert cluster.step("s").reason == "ItemsChanged"


def test_an_iteration_is_tried_again_and_keeps_its_index():
    cluster = started(looping({"items": ["a", "b"]}, retry={"limit": 1, "backoff": {"duration": "5s", "factor": 1}}))
    cluster.fail("f-s-1")
    assert cluster.next() == {"s": (f"retry 1/1 of iteration 1 at {rfc3339(cluster.now + 5)}",)}
    cluster.complete("f-s-0")
    assert str(cluster.step("s").phase) == "Retrying"
    cluster.wait(5)
    assert cluster.created[-1] == "f-s-1-r1"
    cluster.complete("f-s-1-r1")
    assert cluster.phase == "Succeed"


def test_retry_of_a_flow_keeps_the_iterations_that_completed():
    cluster = started(looping({"items": list("abc")}))
    cluster.complete("f-s-0", "f-s-2")
    cluster.fail("f-s-1")
    cluster.command("RetryJobFlow")
    assert cluster.created[3:] == ["f-s-1-r1"]
    cluster.complete("f-s-1-r1")
    assert cluster.phase == "Succeed"


def test_restart_of_a_loop_runs_every_iteration_again():
    cluster = started(looping({"items": list("ab")}))
    cluster.complete("f-s-0", "f-s-1")
    cluster.command("RestartJobFlow")
    assert cluster.created[2:] == ["f-s-0-r1", "f-s-1-r1"]
    cluster.complete("f-s-0-r1", "f-s-1-r1")
    assert cluster.phase == "Succeed"


def test_terminate_ends_the_iterations_that_run():
    cluster = started(looping({"items": list("abcd"), "parallelism": 2}))
    cluster.command("TerminateJobFlow")
    assert cluster.phases() == {"s": "Terminated"}
    assert (cluster.phase, cluster.created) == ("Failed", ["f-s-0", "f-s-1"])


def test_a_loop_shares_the_slots_of_the_flow():
    cluster = started(looping({"items": list("abcd")}), step("b"), parallelism=3)
    assert cluster.created == ["f-s-0", "f-s-1", "f-s-2"]
    cluster.complete("f-s-0", "f-s-1")
    assert cluster.created[3:] == ["f-s-3", "f-b"]


def test_the_other_iterations_finish_when_the_job_of_one_cannot_be_created():
    template = {"spec": {"tasks": [{"name": "main", "template": {"spec": {"x": "$(item.k)"}}}]}}
    subject = flow(step("s", for_={"items": [{"k": "1"}, {"other": "2"}, {"k": "3"}]}))
    cluster = FlowCluster(subject, {"s": template})
    cluster.settle()
    assert cluster.created == ["f-s-0"]
    assert str(cluster.step("s").phase) == "Running"
    cluster.complete("f-s-0")
    assert cluster.step("s").reason == "InvalidReference"
    assert cluster.step("s").message.startswith("iteration 1 failed: InvalidReference: ")


def test_an_iteration_without_its_output_gives_its_reason_to_the_step_and_is_not_tried_again():
    outputs = [{"name": "n", "key": "n"}]
    cluster = started(step("a", for_={"range": {"end": 2}}, outputs=outputs, retry={"limit": 3}))
    cluster.complete("f-a-0", message='{"n": 1}')
    cluster.complete("f-a-1", message='{"m": 1}')
    a = cluster.step("a")
    assert (str(a.phase), a.reason) == ("Failed", "OutputMissing")
    said = 'output "n": the termination message has no key "n"'
    assert a.message == f"iteration 1 failed: OutputMissing: {said}"
    attempt = a.iterations.retries[0].last_attempt
    assert (attempt.job, attempt.phase, attempt.reason, attempt.message) == ("f-a-1", "Failed", "OutputMissing", said)


def test_last_is_an_earlier_iteration_even_if_a_later_one_has_ended():
    args = [{"op": "replace", "path": "/tasks/0/replicas", "expression": "last.phase == '' ? 1 : 2"}]
    retry = {"limit": 1, "backoff": {"duration": "1s"}}
    cluster = started(step("a", for_={"range": {"end": 3}}, patch={"jsonPatch": args}, retry=retry))
    cluster.complete("f-a-2")
    cluster.fail("f-a-0")
    cluster.wait(2)
    assert cluster.bodies["f-a-0-r1"]["spec"]["tasks"][0]["replicas"] == 1


def test_a_failed_loop_has_the_exit_code_of_its_first_failure_whatever_ends_later():
    cluster = started(
        step("a", for_={"range": {"end": 3}}, allowFailure=True), step("b", "a", if_="steps.a.exitCode == 3")
    )
    cluster.fail("f-a-1", code=3)
    cluster.complete("f-a-0", "f-a-2")
    assert (cluster.step("a").exit_code, str(cluster.step("b").phase)) == (3, "Pending")


def test_after_a_command_last_is_the_iteration_before_the_one_that_failed():
    loop = {"while": "index == 0 || (last.phase == 'Completed' && last.outputs.grade == string(index))"}
    cluster = started(step("a", for_=loop, outputs=OUT))
    cluster.complete("f-a-0", message='{"grade": 1}')
    cluster.complete("f-a-1", message='{"grade": 2}')
    cluster.fail("f-a-2")
    assert cluster.phase == "Failed"
    cluster.command("RetryJobFlow")
    assert cluster.created[-1] == "f-a-2-r1"
    cluster.complete("f-a-2-r1", message='{"grade": 7}')
    assert (cluster.phase, cluster.step("a").message) == ("Succeed", "3 iterations")


def test_a_failed_loop_shows_no_pending_retry():
    cluster = started(step("a", for_={"range": {"end": 3}}, retry={"limit": 1, "if": "attempt.exitCode == 7"}))
    cluster.fail("f-a-0", code=7)
    assert cluster.next() == {"a": (f"retry 1/1 of iteration 0 at {rfc3339(cluster.now + 10)}",)}
    cluster.fail("f-a-1", code=1)
    assert cluster.next() == {}
    last = cluster.step("a").last_attempt
    assert last is not None
    assert last.job == "f-a-1"
    cluster.complete("f-a-2")
    assert (cluster.phase, cluster.created) == ("Failed", ["f-a-0", "f-a-1", "f-a-2"])
