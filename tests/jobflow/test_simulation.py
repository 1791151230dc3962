"""Simulated flows: the interface for users. tests/e2e/sdk/test_simulation.py compares simulations with real runs."""

import re
import time
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobflow import Approve, Flow, FlowError, Job, Resource, SimulatedFlow, SubFlow, Template
from jobflow.simulation.simulate import simulate
from shared.model.phases import StepPhase
from shared.model.types import Body
from tests.controller.jobflow.checked_cluster import CALM
from tests.jobflow.any_flow import flows


def training() -> Flow:
    with Flow("training", params={"target": 0.9}) as flow:
        prepare = Job("prepare", image="i", outputs=["rows"]).retry(1, backoff="30s")
        train = Job("train", image="i", outputs=["accuracy"]).loop(["small", "large"], parallelism=1)
        ship = Job("ship", image="i").when(train.outputs["accuracy"].as_float() >= flow.params.target.as_float())
        Job("tidy", image="i").finally_()
        prepare >> train >> ship
    return flow


def simulated(**scenario: Any) -> SimulatedFlow:
    return training().simulate(**{"outputs": {"train": {"accuracy": 0.95}}, **scenario})


def test_steps_run_in_order_and_the_time_they_take_adds_up() -> None:
    found = simulated(durations={"train": 60, "prepare": 0.5}, seconds=1)
    assert found.succeeded
    assert found.phases() == dict.fromkeys(("prepare", "train", "ship", "tidy"), "Completed")
    assert found.order == ("prepare", "train", "ship", "tidy")
    assert found.seconds == 122.5
    assert (found.steps["train"].started, found.steps["train"].ended) == (0.5, 120.5)
    assert [(job.step, job.index, job.attempt) for job in found.jobs] == [
        ("prepare", None, 1), ("train", 0, 1), ("train", 1, 1), ("ship", None, 1), ("tidy", None, 1),
    ]  # fmt: skip


def test_a_failed_attempt_is_tried_again_after_its_back_off() -> None:
    found = simulated(fail="prepare:1", seconds=1)
    assert found.succeeded
    assert found.steps["prepare"].attempts == 2
    assert [(job.started, job.phase) for job in found.steps["prepare"].jobs] == [(0, "Failed"), (31, "Completed")]


def test_a_failed_step_skips_what_comes_after_it_and_says_why() -> None:
    found = simulated(fail=["prepare"])
    assert (found.phase, found.outcome, found.succeeded) == ("Failed", "Failed", False)
    assert found.steps["prepare"].phase == "Failed"
    assert found.skipped == {
        "train": "UpstreamFailed: prepare ended Failed",
        "ship": "UpstreamFailed: train ended Skipped",
    }
    assert found.steps["tidy"].phase == "Completed"


def test_a_condition_decides_by_the_outputs_of_the_scenario() -> None:
    assert simulated(outputs={"train": {"accuracy": 0.8}}).steps["ship"].reason == "ConditionFalse"
    assert simulated(outputs={"train": {"accuracy": 0.8}}, params={"target": 0.7}).steps["ship"].phase == "Completed"
    assert (
        simulated(outputs={"train[1]": {"accuracy": 0.95}, "train": {"accuracy": 0}}).steps["ship"].phase == "Completed"
    )


def test_exit_codes_are_seen_by_conditions() -> None:
    with Flow("f", failure="Continue") as flow:
        a, b = Job("a", image="i"), Job("b", image="i")
        b.after(a, on="Ended").when(a.exit_code == 3)
    assert flow.simulate(fail={"a": 3}).phases() == {"a": "Failed", "b": "Completed"}
    assert flow.simulate(fail={"a": 4}).phases() == {"a": "Failed", "b": "Skipped"}


def test_a_template_of_the_cluster_is_assumed_to_be_there() -> None:
    with Flow("f") as flow:
        Template("a") >> Template("b", "t")
    found = flow.simulate()
    assert found.succeeded
    assert found.assumed == (
        "JobTemplate a exists, with one task of one pod",
        "JobTemplate t exists, with one task of one pod",
    )


def test_a_flow_that_never_ends_says_so() -> None:
    with Flow("f", suspend=True) as flow:
        Template("a")
    found = flow.simulate()
    assert (found.phase, bool(found.unfinished), found.succeeded) == ("Suspended", True, False)


def outer(**options: Any) -> Flow:
    """A flow that runs another one, and waits for an approval."""
    with Flow("inner") as inner:
        count = Job("count", image="i", outputs=["rows"]).retry(1, backoff="5s")
        count >> Job("check", image="i")
    inner.output("rows", count.outputs["rows"])
    with Flow("outer") as flow:
        clean = SubFlow("clean", inner, outputs=["rows"]).loop(["a", "b"])
        release = Approve("release", "ship it?", **options)
        clean >> release >> Job("ship", image="i").when(clean.outputs["rows"].as_int() > 3)
    return flow


def test_the_steps_of_a_flow_that_runs_as_a_step_are_simulated_too() -> None:
    found = outer().simulate(outputs={"clean/count": {"rows": 4}}, fail="clean[1]/count:1", seconds=1)
    assert found.phases() == {"clean": "Completed", "release": "Completed", "ship": "Completed"}
    assert [flow.name for flow in found.steps["clean"].flows] == ["outer-clean-0", "outer-clean-1"]
    assert [flow.steps["count"].attempts for flow in found.steps["clean"].flows] == [1, 2]
    assert found.steps["clean"].ended == 8
    labels = [line.split()[0] for line in found.timeline().splitlines()]
    assert labels[:5] == ["clean[0]", "clean[0]/count", "clean[0]/check", "clean[1]", "clean[1]/count"]
    assert found._repr_html_().count("clean[1]/count:2") == 1


def test_a_failure_below_goes_up() -> None:
    found = outer().simulate(outputs={"clean/count": {"rows": 4}}, fail="clean[1]/check")
    assert (found.steps["clean"].phase, found.steps["clean"].reason) == ("Failed", "IterationFailed")
    assert found.steps["clean"].flows[1].phases() == {"count": "Completed", "check": "Failed"}


def test_a_flow_that_runs_as_a_step_can_be_told_as_a_whole() -> None:
    found = outer().simulate(outputs={"clean": {"rows": 4}}, durations={"clean": 60})
    assert found.steps["clean"].outputs == {"rows": "4"}
    assert (found.steps["clean"].flows, found.steps["clean"].ended) == ((), 60)
    failed = outer().simulate(fail="clean")
    assert (failed.steps["clean"].phase, failed.steps["ship"].phase) == ("Failed", "Skipped")


def test_a_flow_template_of_the_cluster_is_assumed_to_be_there() -> None:
    with Flow("f") as flow:
        load = SubFlow("load", "load-region", params={"region": "eu"}, outputs=["rows"])
        load >> Job("use", image="i").when(load.outputs["rows"].as_int() > 3)
    found = flow.simulate(outputs={"load": {"rows": 4}})
    assert found.phases() == {"load": "Completed", "use": "Completed"}
    assert found.assumed == ("JobFlowTemplate load-region exists, with the outputs that its steps read",)


def training_object(**options: Any) -> Flow:
    with Flow("f", failure="FailFast") as flow:
        train = Resource(
            "train",
            {"apiVersion": "example.com/v1", "kind": "Training", "spec": {"lr": 0.1}},
            success='object.status.state == "Done"',
            failure='object.status.state == "Broken"',
            outputs={"model": "object.status.modelUri"},
            **options,
        )
        train.retry(1, backoff="5s") >> Job("use", image="i", args=[train.outputs["model"]])
        Job("beside", image="i")
    return flow


def test_an_object_of_another_kind_ends_as_the_scenario_says() -> None:
    found = training_object().simulate(fail="train:1", outputs={"train": {"model": "s3://m"}})
    assert found.succeeded
    assert (found.steps["train"].attempts, found.steps["train"].outputs) == (2, {"model": "s3://m"})
    assert [job.kind for job in found.steps["train"].jobs] == ["Training", "Training"]
    assert found.assumed == ("the operator allows steps to create Training of example.com/v1",)
    failed = training_object().simulate(fail="train", outputs={"train": {"model": "s3://m"}})
    assert (failed.steps["train"].reason, failed.steps["train"].phase) == ("ResourceFailed", "Failed")


@pytest.mark.parametrize(
    "options", [{}, {"stop": [{"op": "replace", "path": "/spec/suspend", "value": True}]}], ids=str
)
def test_an_object_of_another_kind_is_stopped(options: dict[str, Any]) -> None:
    """Deleted, or patched."""
    found = training_object(**options).simulate(fail="beside", durations={"train": 60})
    assert found.steps["train"].phase == "Terminated"
    assert (found.jobs[0].phase, found.jobs[0].ended) == ("Terminated", 10)


APPROVED: Final[dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, str, float]]]] = {
    "nothing is said": ({}, {}, ("Completed", "Approved", 20)),
    "approved after an hour": ({}, {"durations": {"release": "1h"}}, ("Completed", "Approved", 3610)),
    "rejected": ({}, {"approvals": {"release": "rejected"}}, ("Failed", "Rejected", 20)),
    "nobody answers": ({"timeout": "1h"}, {"approvals": {"release": "timeout"}}, ("Failed", "Rejected", 3610)),
    "the answer comes late": ({"timeout": "1h"}, {"durations": {"release": 4000}}, ("Failed", "Rejected", 3610)),
    "silence is consent": (
        {"timeout": "1h", "on_timeout": "Approve"},
        {"approvals": {"release": "timeout"}},
        ("Completed", "Approved", 3610),
    ),
}


@pytest.mark.parametrize("case", APPROVED)
def test_people_answer_as_the_scenario_says(case: str) -> None:
    options, scenario, wanted = APPROVED[case]
    found = outer(**options).simulate(outputs={"clean": {"rows": 4}}, **scenario)
    step = found.steps["release"]
    assert (step.phase, step.decision, step.ended) == wanted
    assert found.steps["ship"].phase == ("Completed" if step.decision == "Approved" else "Skipped")
    assert found.order[:2] == ("clean", "release")
    (line,) = (each for each in found.timeline().splitlines() if each.startswith("release"))
    assert line.endswith(step.decision)


def test_what_nobody_said_of_an_approval_is_an_assumption() -> None:
    given = {"clean": {"rows": 4}}
    assert outer().simulate(outputs=given).assumed == ("release is approved",)
    assert outer().simulate(outputs=given, approvals={"release": "approved"}).assumed == ()
    silent = outer(timeout="1h", on_timeout="Approve").simulate(outputs=given, approvals={"release": "timeout"})
    assert silent.assumed == ("a JobFlowPolicy allows that release is approved after its timeout",)


def test_a_deadline_ends_the_flow() -> None:
    with Flow("f", deadline="1m") as flow:
        Template("a") >> Template("b")
    found = flow.simulate(durations={"a": 50, "b": 50})
    assert (found.outcome, found.seconds, found.phases()) == (
        "DeadlineExceeded",
        60,
        {"a": "Completed", "b": "Terminated"},
    )


REFUSED: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "a step that is not there": (
        lambda: simulated(fail=["prepre"]),
        'fail: no step named "prepre"; did you mean "prepare"?',
    ),
    "no selector": (lambda: simulated(fail=["prepare:0"]), 'fail: "prepare:0" does not name a step'),
    "an output that is not there": (
        lambda: simulated(outputs={"train": {"acuracy": 1}}),
        'outputs: step train has no output "acuracy"; did you mean "accuracy"?',
    ),
    "an exit code of success": (lambda: simulated(fail={"prepare": 0}), "exit code 0 does not mean failure"),
    "a negative time": (lambda: simulated(durations={"train": -1}), "-1 is not a number of seconds"),
    "no time at all": (lambda: simulated(durations={"train": "soon"}), "durations: train='soon': write seconds"),
    "a param that is not there": (lambda: simulated(params={"day": "1"}), 'no param named "day"; there are target'),
    "a step that is not below": (
        lambda: outer().simulate(fail="clean/cuont"),
        'fail: no step named "cuont" in the flow of clean; did you mean "count"?',
    ),
    "a step below one that runs no flow": (
        lambda: simulated(fail="train/x"),
        'fail: "train/x": train is no step that runs a flow whose steps are known here',
    ),
    "a person who fails": (
        lambda: outer().simulate(fail="release"),
        "fail: release waits for a person: write approvals={'release': \"rejected\"}",
    ),
    "an answer that is none": (
        lambda: outer().simulate(approvals={"release": "yes"}),
        'approvals: release: "yes" is no answer; there are approved, rejected, timeout',
    ),
    "an answer that nobody asked for": (
        lambda: outer().simulate(approvals={"ship": "approved"}),
        "approvals: step ship does not wait for an approval",
    ),
    "a timeout where there is none": (
        lambda: outer().simulate(approvals={"release": "timeout"}),
        "approvals: step release has no timeout, so it would wait for ever",
    ),
    "an output below that the flow gives and no scenario sets": (
        lambda: outer().simulate(),
        (
            "output rows of step clean reads the output rows of step clean/count: give its value, "
            "outputs={'clean/count': {'rows': ...}}"
        ),
    ),
    "an output that is read and not given": (
        lambda: simulated(outputs={}),
        "step ship reads the output accuracy of step train: give its value, outputs={'train': {'accuracy': ...}}",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_scenario_that_the_flow_does_not_know_is_refused(case: str) -> None:
    ask, wanted = REFUSED[case]
    with pytest.raises(ValueError, match=re.escape(wanted)):
        ask()


def test_a_flow_that_the_cluster_would_refuse_is_not_simulated() -> None:
    flow = Flow("f").add(Template("a").when("params.p == 1"))
    with pytest.raises(FlowError, match=re.escape('operator "==" does not take (string, int)')):
        flow.simulate()


def test_the_timeline_shows_every_job_and_what_was_skipped() -> None:
    found = simulated(fail=["train[1]"], seconds=10)
    lines = found.timeline().splitlines()
    assert [line.split()[0] for line in lines] == ["prepare", "train[0]", "train[1]", "tidy", "ship", "training:"]
    assert lines[2].endswith("20s - 30s Failed")
    assert "Skipped: " in lines[4]
    assert lines[5].startswith("training: Failed after 40s")


def test_the_table_of_a_notebook_escapes_what_it_shows() -> None:
    found = simulated(fail=["train[1]"])
    html = found._repr_html_()
    assert html.count("<tr>") == 5
    assert "train[1]" in html


def test_a_thousand_steps_take_less_than_two_seconds() -> None:
    with Flow("f") as flow:
        before = None
        for number in range(1000):
            step = Template(f"s{number}", "t")
            if before is not None:
                before >> step
            before = step
    started = time.process_time()
    found = flow.simulate()
    assert found.succeeded
    assert found.seconds == 10_000
    assert time.process_time() - started < 2


@settings(CALM, max_examples=200)
@given(flows(), st.data())
def test_a_random_flow_ends_or_it_is_said_why_not(body: Body, data: st.DataObject) -> None:
    steps = body["spec"]["flows"]
    names = [step["name"] for step in steps if "switch" not in step and "approve" not in step]
    fail = data.draw(st.lists(st.sampled_from(names), max_size=2, unique=True)) if names else []
    found = simulate(body, {}, fail=fail)
    assert found.unfinished or found.phase in ("Succeed", "Failed")
    assert found.unfinished or all(StepPhase(phase).ended for phase in found.phases().values())
    assert found.timeline().splitlines()[-1].startswith(f"f: {found.phase}")
