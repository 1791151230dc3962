"""if, switch, for, retry, outputs, probe, daemon, parallelism (jobflow-api.md 1, 4, 5)."""

import pytest
from msgspec.structs import replace

from controller.decision import Create
from controller.flow.decide import decide
from controller.flow.plan import Plan
from controller.flow.seen import ProbeResult
from shared.model.phases import JobPhase
from tests.controller.flow.make import TEMPLATE, Cluster, flow, started, step

OUT = [{"name": "grade", "key": "grade"}]


def test_a_condition_reads_what_came_before():
    cluster = started(
        step("a", outputs=OUT),
        step("good", "a", if_="steps.a.outputs.grade == 'A'"),
        step("bad", "a", if_="steps.a.outputs.grade != 'A'"),
    )
    cluster.complete("f-a", message='{"grade": "A"}')
    assert cluster.step("a").outputs == {"grade": "A"}
    assert cluster.created == ["f-a", "f-good"]
    assert cluster.reasons() == {"bad": "ConditionFalse"}


def test_a_condition_without_a_value_fails_the_step_and_says_why():
    cluster = started(step("a", if_="params.x == 'y'"))
    assert cluster.step("a").reason == "InvalidExpression"
    assert 'no param named "x"' in cluster.step("a").message


ROUTE = {
    "value": "steps.a.outputs.grade",
    "cases": [{"when": ["A", "B"], "run": ["deploy"]}, {"when": ["C"], "run": ["retrain", "tell"]}],
    "default": ["notify"],
}


@pytest.mark.parametrize(
    ("grade", "ran"), {"B": ["deploy"], "C": ["retrain", "tell"], "F": ["notify"]}.items(), ids=["B", "C", "F"]
)
def test_a_switch_chooses(grade, ran):
    cluster = started(
        step("a", outputs=OUT),
        step("route", "a", switch=ROUTE),
        *(step(name) for name in ("deploy", "retrain", "tell", "notify")),
        step("join", "deploy", "retrain", "tell", "notify"),
    )
    coming = dict.fromkeys(("deploy", "retrain", "tell", "notify"), ("waits for switch route",))
    assert cluster.next() == {"route": ("waits for a",), **coming}
    cluster.complete("f-a", message=f'{{"grade": "{grade}"}}')
    assert cluster.created == ["f-a", *(f"f-{name}" for name in ran)]
    assert cluster.step("route").chosen == tuple(ran)
    cluster.complete(*(f"f-{name}" for name in ran))
    cluster.complete("f-join")
    assert cluster.phase == "Succeed"
    assert set(cluster.reasons().values()) == {"NotSelected"}


def test_a_step_of_a_switch_waits_for_its_own_targets_too():
    switch = {"value": "'x'", "cases": [{"when": ["x"], "run": ["b"]}]}
    cluster = started(step("a"), step("route", switch=switch), step("b", "a"))
    assert cluster.created == ["f-a"]
    cluster.complete("f-a")
    assert cluster.created == ["f-a", "f-b"]


SWITCH_ENDS = {
    "skipped": (step("route", switch={"value": "'x'", "default": ["b"]}, if_="false"), "UpstreamSkipped"),
    "failed": (step("route", switch={"value": "params.x", "default": ["b"]}), "UpstreamFailed"),
    "chose nothing": (
        step("route", switch={"value": "true", "cases": [{"when": ["false"], "run": ["b"]}]}),
        "NotSelected",
    ),
}


@pytest.mark.parametrize(("route", "want"), SWITCH_ENDS.values(), ids=SWITCH_ENDS.keys())
def test_what_becomes_of_a_switch_becomes_of_its_steps(route, want):
    cluster = started(route, step("b"))
    assert cluster.step("b").reason == want


# --- for ------------------------------------------------------------------------------------------------------------


def env_of(cluster: Cluster, job: str) -> str:
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
    from msgspec.structs import replace

    cluster = started(step("s", for_={"expression": "['a', 'b']", "parallelism": 1}))
    cluster.flow = replace(flow(step("s", for_={"expression": "['a', 'c']", "parallelism": 1})), status=cluster.status)
    cluster.complete("f-s-0")
    assert cluster.step("s").reason == "ItemsChanged"


def test_an_iteration_is_tried_again_and_keeps_its_index():
    cluster = started(looping({"items": ["a", "b"]}, retry={"limit": 1, "backoff": {"duration": "5s", "factor": 1}}))
    cluster.fail("f-s-1")
    assert cluster.next() == {"s": ("retry 1/1 of iteration 1 in 5 s",)}
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


# --- retry ----------------------------------------------------------------------------------------------------------

BACKOFF = {"limit": 2, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "1m"}}


def test_attempts_follow_each_other_with_growing_pauses():
    cluster = started(step("a", retry=BACKOFF))
    cluster.fail("f-a", code=3)
    assert str(cluster.step("a").phase) == "Retrying"
    assert cluster.next() == {"a": ("retry 1/2 in 20 s",)}
    cluster.wait(19)
    assert cluster.created == ["f-a"]
    cluster.wait(1)
    assert cluster.created == ["f-a", "f-a-r1"]
    cluster.fail("f-a-r1", code=4)
    assert cluster.next() == {"a": ("retry 2/2 in 40 s",)}
    cluster.wait(40)
    cluster.fail("f-a-r2", code=5)
    found = cluster.step("a")
    assert (str(found.phase), found.attempts, found.exit_code) == ("Failed", 3, 5)
    assert found.jobs == ("f-a", "f-a-r1", "f-a-r2")
    assert cluster.status.failed_jobs == ("f-a", "f-a-r1", "f-a-r2")


def test_the_pause_is_computed_from_recorded_times_not_from_memory():
    cluster = started(step("a", retry=BACKOFF))
    cluster.fail("f-a")
    cluster.now += 1000  # the controller was down
    cluster.settle()
    assert cluster.created == ["f-a", "f-a-r1"]


def test_an_end_recorded_by_a_clock_that_was_set_back_since_holds_nothing_up():
    """Seen in the fault runs: the next attempt waited for the hour that the clock had lost."""
    cluster = started(step("a", retry=BACKOFF))
    cluster.now += 3600
    cluster.fail("f-a")
    assert cluster.created == ["f-a"]
    cluster.now -= 3600
    cluster.settle()
    assert cluster.created == ["f-a", "f-a-r1"]


def test_the_flows_retry_is_the_default_of_its_steps():
    cluster = started(step("a"), step("b", retry={"limit": 0}), retry=BACKOFF, failureStrategy="Continue")
    cluster.fail("f-a", "f-b")
    assert cluster.phases() == {"a": "Retrying", "b": "Failed"}


CONDITIONS = {"attempt.exitCode == 137": True, "attempt.exitCode != 137": False, "attempt.number < 1": True}


@pytest.mark.parametrize(("condition", "again"), CONDITIONS.items(), ids=CONDITIONS.keys())
def test_a_retry_may_be_conditional(condition, again):
    cluster = started(step("a", retry={"limit": 1, "if": condition}))
    cluster.fail("f-a", code=137)
    assert str(cluster.step("a").phase) == ("Retrying" if again else "Failed")


def test_an_attempt_that_takes_too_long_is_terminated_and_tried_again():
    cluster = started(step("a", activeDeadlineSeconds=60, retry={"limit": 1}))
    cluster.run("f-a")
    assert cluster.decide().decision.requeue_after == 60
    cluster.wait(60)
    assert str(cluster.step("a").phase) == "Retrying"
    assert cluster.step("a").last_attempt.reason == "DeadlineExceeded"
    cluster.wait(20)
    cluster.wait(60)
    assert (str(cluster.step("a").phase), cluster.step("a").reason) == ("Failed", "DeadlineExceeded")


def test_a_deleted_job_is_tried_again():
    cluster = started(step("a", retry={"limit": 1}))
    cluster.vanish("f-a")
    assert cluster.step("a").last_attempt.reason == "JobDeleted"
    cluster.wait(20)
    cluster.complete("f-a-r1")
    assert cluster.phase == "Succeed"


def test_with_delete_a_failed_attempt_is_removed_when_the_next_has_begun():
    cluster = started(step("a", retry={"limit": 1}), step("b"), jobRetainPolicy="delete")
    cluster.fail("f-a")
    cluster.wait(20)
    assert cluster.deleted == ["f-a"]
    assert set(cluster.bodies) == {"f-a-r1", "f-b"}


# --- outputs --------------------------------------------------------------------------------------------------------

MESSAGES = {
    "a key of a JSON object": ({"name": "n", "key": "k"}, '{"k": "v"}', "v"),
    "a number": ({"name": "n", "key": "k"}, '{"k": 1.5}', "1.5"),
    "a bool": ({"name": "n", "key": "k"}, '{"k": true}', "true"),
    "a list": ({"name": "n", "key": "k"}, '{"k": [1, "a"]}', '[1,"a"]'),
    "the whole message, stripped": ({"name": "n"}, "  v\n", "v"),
}


@pytest.mark.parametrize(("output", "message", "want"), MESSAGES.values(), ids=MESSAGES.keys())
def test_an_output_is_taken_from_the_termination_message(output, message, want):
    cluster = started(step("a", outputs=[output]))
    cluster.complete("f-a", message=message)
    assert cluster.step("a").outputs == {"n": want}


MISSING = {
    "no message": (None, "left no termination message"),
    "no JSON": ("text", "is no JSON object"),
    "no object": ("[1]", "is no JSON object"),
    "no such key": ('{"x": 1}', 'has no key "grade"'),
    "too long": ('{"grade": "' + "x" * 5000 + '"}', "longer than 4096 bytes"),
}


@pytest.mark.parametrize(("message", "want"), MISSING.values(), ids=MISSING.keys())
def test_a_missing_output_fails_the_step_without_another_attempt(message, want):
    cluster = started(step("a", outputs=OUT, retry={"limit": 3}))
    cluster.complete("f-a", message=message)
    assert cluster.step("a").reason == "OutputMissing"
    assert want in cluster.step("a").message


def test_a_flow_holds_at_most_64_kib_of_outputs():
    steps = [step(f"s{n}", outputs=[{"name": "n"}]) for n in range(17)]
    cluster = started(*steps, failureStrategy="Continue")
    cluster.complete(*(f"f-s{n}" for n in range(17)), message="x" * 4096)
    reasons = [one.reason for one in cluster.status.steps]
    assert reasons == [""] * 16 + ["OutputMissing"]


# --- probes and daemons --------------------------------------------------------------------------------------------


def serving(**probe) -> dict:
    return step("client", "server", probe=probe)


def test_a_task_status_probe_starts_the_step_while_its_target_runs():
    cluster = started(step("server"), serving(taskStatusList=[{"taskName": "main", "phase": "Running"}]))
    cluster.run("f-server")
    assert cluster.next() == {"client": ("task main of f-server: 0 of 1 pods Running",)}
    cluster.set_job("f-server", JobPhase.RUNNING, taskStatusCount={"main": {"phase": {"Running": 1}}})
    cluster.settle()
    assert cluster.created == ["f-server", "f-client"]


def test_a_network_probe_is_asked_for_and_its_answer_counts():
    cluster = started(step("server"), serving(httpGetList=[{"taskName": "main", "path": "/ready", "port": 8080}]))
    cluster.run("f-server")
    wanted = cluster.decide().probes
    assert [(one.step, one.jobs, one.task, one.minimum) for one in wanted] == [("client", ("f-server",), "main", 1)]
    cluster.probes["client"] = ProbeResult(False, "probe http :8080/ready on f-server-main-0 failing: 503")
    cluster.settle()
    assert cluster.next() == {"client": ("probe http :8080/ready on f-server-main-0 failing: 503",)}
    cluster.probes["client"] = ProbeResult(True)
    cluster.settle()
    assert cluster.created == ["f-server", "f-client"]
    assert cluster.decide().probes == ()


def test_a_probe_that_never_held_fails_the_step_when_its_targets_have_ended():
    cluster = started(step("server"), serving(tcpSocketList=[{"taskName": "main", "port": 80}]))
    cluster.complete("f-server")
    assert cluster.step("client").reason == "ProbeNotMet"


def test_a_target_that_ends_bad_before_the_probe_holds_skips_the_step():
    cluster = started(step("server"), serving(tcpSocketList=[{"taskName": "main", "port": 80}]))
    cluster.fail("f-server")
    assert cluster.step("client").reason == "UpstreamFailed"


def test_a_daemon_is_stopped_when_those_who_use_it_have_ended_and_counts_as_completed():
    probe = {"taskStatusList": [{"taskName": "main", "phase": "Running"}]}
    cluster = started(
        step("server", daemon=True, retry={"limit": 5}), step("client", "server", probe=probe), step("end", "client")
    )
    cluster.set_job("f-server", JobPhase.RUNNING, taskStatusCount={"main": {"phase": {"Running": 1}}})
    cluster.settle()
    assert cluster.created == ["f-server", "f-client"]
    cluster.complete("f-client")
    assert cluster.phases()["server"] == "Completed"
    cluster.complete("f-end")
    assert cluster.phase == "Succeed"


def test_a_plain_dependence_on_a_daemon_is_met_when_it_runs():
    cluster = started(step("server", daemon=True), step("client", "server"))
    cluster.run("f-server")
    assert cluster.created == ["f-server", "f-client"]
    cluster.complete("f-client")
    assert cluster.phase == "Succeed"


def test_a_daemon_that_nobody_names_serves_the_whole_flow():
    cluster = started(step("server", daemon=True), step("a"), step("b", "a"))
    cluster.run("f-server")
    cluster.complete("f-a")
    assert cluster.phases()["server"] == "Running"
    cluster.complete("f-b")
    assert cluster.phase == "Succeed"


def test_a_step_that_waits_for_the_end_of_a_daemon_does_not_keep_it_up():
    cluster = started(step("server", daemon=True), step("client", "server"), step("after", "server", condition="Ended"))
    cluster.run("f-server")
    cluster.complete("f-client")
    cluster.complete("f-after")
    assert cluster.phase == "Succeed"


def test_daemons_that_everything_waits_for_are_stopped():
    cluster = started(step("d", daemon=True), step("z", "d", condition="Ended"), step("x", "d", "z"))
    cluster.run("f-d")
    assert cluster.created == ["f-d", "f-z"]
    cluster.complete("f-z")
    cluster.complete("f-x")
    assert cluster.phase == "Succeed"


# --- parallelism ----------------------------------------------------------------------------------------------------


def test_slots_go_to_steps_in_the_order_of_the_spec():
    cluster = started(step("a"), step("b"), step("c"), step("d", daemon=True), parallelism=2, finally_=[step("z")])
    assert cluster.created == ["f-a", "f-b", "f-d"]
    assert cluster.next() == {"c": ("parallelism 2 reached",)}
    cluster.complete("f-b")
    assert cluster.created[-1] == "f-c"
    assert isinstance(cluster.last.decision.actions, tuple)
    assert not any(isinstance(action, Create) for action in cluster.last.decision.actions)


def test_a_loop_shares_the_slots_of_the_flow():
    cluster = started(looping({"items": list("abcd")}), step("b"), parallelism=3)
    assert cluster.created == ["f-s-0", "f-s-1", "f-s-2"]
    cluster.complete("f-s-0", "f-s-1")
    assert cluster.created[3:] == ["f-s-3", "f-b"]


def test_an_iteration_that_can_have_no_job_lets_the_others_finish():
    template = {"spec": {"tasks": [{"name": "main", "template": {"spec": {"x": "$(item.k)"}}}]}}
    subject = flow(step("s", for_={"items": [{"k": "1"}, {"other": "2"}, {"k": "3"}]}))
    cluster = Cluster(subject, {"s": template})
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


def test_last_is_an_iteration_before_whatever_later_one_has_ended():
    args = [{"op": "replace", "path": "/tasks/0/replicas", "expression": "last.phase == '' ? 1 : 2"}]
    retry = {"limit": 1, "backoff": {"duration": "1s"}}
    cluster = started(step("a", for_={"range": {"end": 3}}, patch={"jsonPatch": args}, retry=retry))
    cluster.complete("f-a-2")
    cluster.fail("f-a-0")
    cluster.wait(2)
    assert cluster.bodies["f-a-0-r1"]["spec"]["tasks"][0]["replicas"] == 1


def test_a_daemon_of_many_jobs_is_stopped_as_a_whole_and_begins_no_others():
    cluster = started(step("d", daemon=True, for_={"range": {"end": 20}, "parallelism": 12}), step("c", "d"))
    cluster.run(*(f"f-d-{number}" for number in range(12)))
    cluster.complete("f-c")
    assert (cluster.phase, cluster.unfinished()) == ("Succeed", [])
    assert len(cluster.created) == 13
    assert (str(cluster.step("d").phase), cluster.step("d").iterations.completed_indexes) == ("Completed", "0-11")


def test_who_terminated_a_job_and_why_is_told_in_words():
    cluster = started(step("a", activeDeadlineSeconds=5), step("b"), failureStrategy="FailFast")
    cluster.wait(5)
    cluster.settle()
    assert cluster.step("a").message == (
        "Job f-a was terminated: the attempt took longer than activeDeadlineSeconds (5 s)"
    )
    assert cluster.step("b").message == "Job f-b was terminated: a step has failed (failureStrategy FailFast)"


def test_a_flow_that_was_stopped_says_so_before_what_failed():
    cluster = started(step("a"))
    cluster.command("TerminateJobFlow")
    said = "the flow was terminated"
    assert cluster.step("a").message == f"Job f-a was terminated: {said}"
    assert cluster.status.state.message == f"{said}; step a terminated: Terminated: Job f-a was terminated: {said}"


def test_a_condition_on_a_label_follows_the_label_until_the_step_starts():
    labelled = flow(step("a"), step("b", if_="flow.labels.go == 'yes'"), parallelism=1)
    metadata = replace(labelled.metadata, labels={"go": "yes"})
    cluster = Cluster(replace(labelled, metadata=metadata))
    plan = Plan(cluster.flow)
    first = decide(cluster.seen(), plan)
    assert len(first.decision.actions) == 1
    cluster.flow = replace(cluster.flow, status=first.carry, metadata=replace(metadata, labels={"go": "no"}))
    states = {one.name: one for one in decide(cluster.seen(), plan).carry.steps}
    assert states["b"].reason == "ConditionFalse"


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


def test_every_job_of_the_targets_is_probed_for_as_many_pods_as_it_needs():
    task = {"name": "main", "replicas": 3, "minAvailable": 2, "template": TEMPLATE["spec"]["tasks"][0]["template"]}
    wide = {**TEMPLATE, "spec": {"tasks": [task]}}
    probe = {"tcpSocketList": [{"taskName": "main", "port": 80}]}
    cluster = Cluster(
        flow(step("a"), step("b"), step("c", "a", "b", probe=probe)), {"a": TEMPLATE, "b": wide, "c": TEMPLATE}
    )
    cluster.settle()
    cluster.run("f-a", "f-b")
    assert cluster.last is not None
    assert [(one.jobs, one.minimum) for one in cluster.last.probes] == [(("f-a",), 1), (("f-b",), 2)]


def test_a_step_that_waits_with_its_next_attempt_still_says_why_there_is_one():
    cluster = started(step("a", retry={"limit": 1}), step("b"), parallelism=2)
    cluster.fail("f-a", state={"reason": "PodFailed", "message": "out of memory"})
    cluster.command("SuspendJobFlow")
    cluster.wait(20)
    a = cluster.step("a")
    assert (str(a.phase), a.reason, a.message) == ("Retrying", "PodFailed", "out of memory")
    assert cluster.next() == {"a": ("suspended",)}


def test_a_loop_that_has_failed_promises_no_further_attempt():
    cluster = started(step("a", for_={"range": {"end": 3}}, retry={"limit": 1, "if": "attempt.exitCode == 7"}))
    cluster.fail("f-a-0", code=7)
    assert cluster.next() == {"a": ("retry 1/1 of iteration 0 in 20 s",)}
    cluster.fail("f-a-1", code=1)
    assert cluster.next() == {}
    cluster.complete("f-a-2")
    assert (cluster.phase, cluster.created) == ("Failed", ["f-a-0", "f-a-1", "f-a-2"])
