"""if, switch, probe, daemon, parallelism (docs/design/jobflow-api.md, sections 1, 4, 5.1)."""

import pytest
from msgspec.structs import replace

from controller.decision import Create
from controller.jobflow.decide.flow import decide
from controller.jobflow.model.observed import ProbeResult
from controller.jobflow.model.plan import Plan
from shared.model.phases import JobPhase
from tests.controller.jobflow.make import TEMPLATE, FlowCluster, flow, started, step

OUT = [{"name": "grade", "key": "grade"}]


def test_a_condition_reads_earlier_steps():
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
def test_a_switch_chooses_steps(grade, ran):
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
def test_steps_of_a_switch_that_failed_or_was_skipped_are_skipped(route, want):
    cluster = started(route, step("b"))
    assert cluster.step("b").reason == want


# --- probes and daemons --------------------------------------------------------------------------------------------


def serving(**probe) -> dict:
    return step("client", "server", probe=probe)


def test_a_task_status_probe_starts_the_step_while_its_target_runs():
    cluster = started(step("server"), serving(taskStatusList=[{"taskName": "main", "phase": "Running"}]))
    cluster.run("f-server")
    assert cluster.next() == {"client": ("task main of f-server: 0 of 1 pod Running",)}
    cluster.set_job("f-server", JobPhase.RUNNING, taskStatusCount={"main": {"phase": {"Running": 1}}})
    cluster.settle()
    assert cluster.created == ["f-server", "f-client"]


def test_a_network_probe_is_requested_and_its_result_decides():
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


def test_a_daemon_is_terminated_when_its_users_have_ended_and_counts_as_completed():
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


def test_a_dependency_on_a_daemon_is_met_when_it_runs():
    cluster = started(step("server", daemon=True), step("client", "server"))
    cluster.run("f-server")
    assert cluster.created == ["f-server", "f-client"]
    cluster.complete("f-client")
    assert cluster.phase == "Succeed"


def test_a_daemon_without_dependants_serves_the_whole_flow():
    cluster = started(step("server", daemon=True), step("a"), step("b", "a"))
    cluster.run("f-server")
    cluster.complete("f-a")
    assert cluster.phases()["server"] == "Running"
    cluster.complete("f-b")
    assert cluster.phase == "Succeed"


def test_a_step_that_waits_for_the_end_of_a_daemon_does_not_keep_it_running():
    cluster = started(step("server", daemon=True), step("client", "server"), step("after", "server", condition="Ended"))
    cluster.run("f-server")
    cluster.complete("f-client")
    cluster.complete("f-after")
    assert cluster.phase == "Succeed"


def test_daemons_are_terminated_when_all_other_steps_wait_for_their_end():
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


def test_a_looping_daemon_is_terminated_as_a_whole_and_starts_no_iteration():
    cluster = started(step("d", daemon=True, for_={"range": {"end": 20}, "parallelism": 12}), step("c", "d"))
    cluster.run(*(f"f-d-{number}" for number in range(12)))
    cluster.complete("f-c")
    assert (cluster.phase, cluster.unfinished()) == ("Succeed", [])
    assert len(cluster.created) == 13
    assert (str(cluster.step("d").phase), cluster.step("d").iterations.completed_indexes) == ("Completed", "0-11")


def test_a_condition_on_a_label_follows_the_label_until_the_step_starts():
    labelled = flow(step("a"), step("b", if_="flow.labels.go == 'yes'"), parallelism=1)
    metadata = replace(labelled.metadata, labels={"go": "yes"})
    cluster = FlowCluster(replace(labelled, metadata=metadata))
    plan = Plan(cluster.flow)
    first = decide(cluster.seen(), plan)
    assert len(first.decision.actions) == 1
    cluster.flow = replace(cluster.flow, status=first.next_status, metadata=replace(metadata, labels={"go": "no"}))
    states = {one.name: one for one in decide(cluster.seen(), plan, first.memo).next_status.steps}
    assert states["b"].reason == "ConditionFalse"


def test_every_job_of_the_targets_is_probed_for_as_many_pods_as_it_needs():
    task = {"name": "main", "replicas": 3, "minAvailable": 2, "template": TEMPLATE["spec"]["tasks"][0]["template"]}
    wide = {**TEMPLATE, "spec": {"tasks": [task]}}
    probe = {"tcpSocketList": [{"taskName": "main", "port": 80}]}
    cluster = FlowCluster(
        flow(step("a"), step("b"), step("c", "a", "b", probe=probe)), {"a": TEMPLATE, "b": wide, "c": TEMPLATE}
    )
    cluster.settle()
    cluster.run("f-a", "f-b")
    assert cluster.last is not None
    assert [(one.jobs, one.minimum) for one in cluster.last.probes] == [(("f-a",), 1), (("f-b",), 2)]
