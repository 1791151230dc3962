"""Approvals on a real kube-apiserver, whose admission policy compares who sends them."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.backends import Backend
from local.client.blocking import until
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import ADMISSION_POLICY_BINDING, COMMAND, JOBFLOW, MUTATING, VALIDATING
from shared.model.types import Body
from tests.e2e.real.people import apply_all, bind, bind_in, parts_of_chart, run, scenario_in, sent
from tests.e2e.steps.test_approvals import STEPS, asked, result
from tests.e2e.support.approvals import approval
from tests.e2e.support.scenario import Scenario, jobflow, step_of, targets

POLICY = "jobflow-approvals"


def charted() -> list[Body]:
    """The chart's admission policy, its binding, and its roles for people."""
    return parts_of_chart(POLICY, "jobflow-approver", "jobflow-editor")


@pytest.fixture(scope="module")
def guarded(backend: Backend) -> Iterator[LocalCluster]:
    """A cluster with the chart's policy. jane may approve, carl may only edit."""
    arguments = ("--no-leader-elect", f"--approval-policy={POLICY}")
    options = ClusterOptions(nodes=2, cpu="64", memory="64Gi", speed=20.0, controller_args=arguments)
    with LocalCluster(backend, options) as cluster:
        apply_all(cluster, charted())
        bind(cluster, ("jane", "jobflow-approver"), ("jane", "jobflow-editor"), ("carl", "jobflow-editor"))
        time.sleep(11)  # older Commands do not count
        yield cluster


@pytest.fixture
def people(guarded: LocalCluster) -> Iterator[Scenario]:
    with scenario_in(guarded, "people") as scenario:
        yield scenario


def flow_of(scenario: Scenario, user: str = "carl") -> Body:
    """A flow that `user` created, whose step waits."""
    scenario.templates("build", "ship")
    assert "created" in sent(scenario, user, jobflow(scenario.namespace, "f", STEPS))
    return asked(scenario)


def answer(scenario: Scenario, flow: Body, user: str, *, claims: str = "", **more: Any) -> str:
    return sent(scenario, user, approval(flow, user=claims or user, **more))


def test_who_may_approve_does_and_is_recorded(people: Scenario) -> None:
    flow = flow_of(people)
    assert "created" in answer(people, flow, "jane")
    release = step_of(people.succeeds("f"), "release")
    assert release["approval"]["user"] == "jane"


def test_a_forged_name_is_refused(people: Scenario) -> None:
    flow = flow_of(people)
    assert "must be jane, who sends the approval" in answer(people, flow, "jane", claims="boss")


def test_who_may_not_approve_is_refused_whatever_they_claim(people: Scenario) -> None:
    flow = flow_of(people)
    assert "needs the verb approve" in answer(people, flow, "carl")
    assert "must be carl" in answer(people, flow, "carl", claims="jane")
    assert step_of(people.get("f"), "release")["phase"] == "Pending"


def test_members_of_a_group_that_is_bound_in_a_namespace_approve_there_and_others_do_not(people: Scenario) -> None:
    bind_in(people, "release-managers", "jobflow-approver")
    bind_in(people, "developers", "jobflow-editor")
    flow = flow_of(people)
    member, other = ("create", "--as-group=release-managers"), ("create", "--as-group=developers")
    assert "needs the verb approve" in sent(people, "dora", approval(flow, user="dora"), *other)
    assert "must be mona" in sent(people, "mona", approval(flow, user="dora"), *member)
    with people.cluster.namespace(f"{people.namespace}-other"):
        elsewhere = Scenario(people.cluster, f"{people.namespace}-other")
        there = flow_of(elsewhere)
        assert "forbidden" in sent(elsewhere, "mona", approval(there, user="mona"), *member)
    assert step_of(people.get("f"), "release")["phase"] == "Pending"
    assert "created" in sent(people, "mona", approval(flow, user="mona"), *member)
    assert step_of(people.succeeds("f"), "release")["approval"]["user"] == "mona"


def test_an_approval_cannot_be_aimed_at_something_else_later(people: Scenario) -> None:
    people.templates("build", "ship")
    flow = flow_of(people)
    people.cluster.kill_controller()
    try:
        assert "created" in answer(people, flow, "jane", reject=True)
        name = next(one["metadata"]["name"] for one in people.kube.list(COMMAND, people.namespace))
        changed = json.dumps({"message": approval(flow)["message"]})
        said = run(
            people, ["patch", "command", name, "--as=jane", "--type=merge", "-p", changed, f"-n{people.namespace}"]
        )
        assert "cannot be changed" in said
    finally:
        people.cluster.restart_controller()
    assert step_of(people.ended("f"), "release")["reason"] == "Rejected"


def test_the_creator_cannot_approve_and_cannot_pretend_that_another_created_it(people: Scenario) -> None:
    flow = flow_of(people, "jane")
    assert "created" in answer(people, flow, "jane")
    until(
        lambda: "jane created the flow" in json.dumps(people.get("f")["status"].get("commandResults", ())),
        30,
        lambda: str(people.get("f")["status"]),
    )
    forged = jobflow(people.namespace, "g", STEPS)
    forged["metadata"]["annotations"] = {"flow.jobflow.dev/creator": "carl"}
    assert "must be absent or jane" in sent(people, "jane", forged)
    own = ["annotate", "jobflow", "f", "--as=jane", "--overwrite", "flow.jobflow.dev/creator=carl"]
    assert "cannot be changed" in run(people, [*own, f"-n{people.namespace}"])


def test_who_may_not_approve_cannot_take_the_step_out(people: Scenario) -> None:
    flow_of(people)
    without = {**STEPS, "release": targets("build")}
    change = json.dumps({"spec": {"flows": jobflow("", "", without)["spec"]["flows"]}})
    command = ["patch", "jobflow", "f", "--type=merge", "-p", change, f"-n{people.namespace}"]
    assert "only with the verb approve" in run(people, [*command, "--as=carl"])
    suspend = ["patch", "jobflow", "f", "--type=merge", "-p", '{"spec": {"suspend": true}}', f"-n{people.namespace}"]
    assert "patched" in run(people, [*suspend, "--as=carl"])


def test_the_policy_holds_while_the_webhook_is_down(people: Scenario) -> None:
    """The webhook's own configuration would refuse everything: it is taken away, as by an attacker who stops it."""
    flow = flow_of(people)
    for kind in (MUTATING, VALIDATING):
        for one in people.kube.list(kind, ""):
            people.kube.delete(kind, "", one["metadata"]["name"])
    try:
        time.sleep(2)  # until the API server has noticed it
        assert "needs the verb approve" in answer(people, flow, "carl")
        assert "must be jane" in answer(people, flow, "jane", claims="boss")
        assert step_of(people.get("f"), "release")["phase"] == "Pending"
    finally:
        people.cluster.register_webhook()


def test_nothing_counts_while_the_policy_is_missing_and_older_answers_do_not_count_later(people: Scenario) -> None:
    flow = flow_of(people)
    people.kube.delete(ADMISSION_POLICY_BINDING, "", POLICY)
    try:
        until(
            lambda: "approvals do not count" in step_of(people.get("f"), "release")["message"],
            30,
            lambda: str(people.get("f")["status"]),
        )
        time.sleep(2)  # until the API server has noticed it too
        said = result(people, flow, approval(flow, user="boss"))
        assert said.startswith("Refused: approvals do not count: the ValidatingAdmissionPolicyBinding")
        people.cluster.kill_controller()
        people.kube.create(COMMAND, approval(flow, user="boss"))
    finally:
        apply_all(people.cluster, charted())
        people.cluster.restart_controller()
    until(
        lambda: "it was sent before" in json.dumps(people.get("f")["status"].get("commandResults", ())),
        30,
        lambda: str(people.get("f")["status"]),
    )
    assert step_of(people.get("f"), "release")["phase"] == "Pending"
    time.sleep(11)
    flow = people.kube.get(JOBFLOW, people.namespace, "f")
    assert "created" in answer(people, flow, "jane")
    people.succeeds("f")
