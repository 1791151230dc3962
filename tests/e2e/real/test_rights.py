"""Steps with `resource` on a real kube-apiserver, whose admission policy compares what they create with the sender's rights."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.backends import Backend
from local.client.blocking import until
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import ADMISSION_POLICY_BINDING, CRD, CRONJOBFLOW, JOBFLOW, JOBFLOWTEMPLATE, MUTATING, VALIDATING
from shared.model.types import Body
from shared.names import RESOURCE_KINDS as CLAIM
from tests.e2e.real.people import RBAC, apply_all, bind, parts_of_chart, run, scenario_in, sent
from tests.e2e.support.resources import RESOURCE_KINDS, WIDGET, await_object, definition, report, widget
from tests.e2e.support.scenario import Scenario, jobflow, phase, step_of

POLICY = "jobflow-rights"
CONTROLLER = "system:serviceaccount:jobflow-system:jobflow-controller"
WIDGETS = WIDGET.resource
STEPS: Body = {"a": {"resource": widget()}}
NEEDED = f"a step creates {WIDGETS}: carl needs create, get and delete on them in namespace "


def charted() -> list[Body]:
    """The chart's admission policy with these kinds, its binding, and its role for people.

    The controller of these scenarios has the administrator's credentials.
    """
    found = parts_of_chart(POLICY, "jobflow-editor", values={"resourceSteps": {"kinds": list(RESOURCE_KINDS)}})
    done: list[Body] = json.loads(json.dumps(found).replace(CONTROLLER, "admin"))
    return done


@pytest.fixture(scope="module")
def guarded(backend: Backend) -> Iterator[LocalCluster]:
    """A cluster with the chart's policy. All edit flows; jane may create Widgets, paul may not patch them, carl has no right."""
    options = ClusterOptions(
        nodes=2,
        cpu="64",
        memory="64Gi",
        speed=20.0,
        controller_args=("--no-leader-elect", f"--rights-policy={POLICY}"),
        webhook_args=("--controller-user=admin",),
        resource_kinds=RESOURCE_KINDS,
    )
    with LocalCluster(backend, options) as cluster:
        assert "admin" in cluster.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}").stdout
        cluster.kube.apply(CRD, definition(WIDGET))
        apply_all(cluster, charted())
        for role, verbs in (("widgets", ("create", "get", "delete", "patch")), ("fixed", ("create", "get", "delete"))):
            rule = {"apiGroups": [WIDGET.group], "resources": [WIDGET.plural], "verbs": list(verbs)}
            apply_all(cluster, [{**RBAC, "kind": "ClusterRole", "metadata": {"name": role}, "rules": [rule]}])
        bind(cluster, *((user, "jobflow-editor") for user in ("jane", "paul", "carl")))
        bind(cluster, ("jane", "widgets"), ("paul", "fixed"))
        time.sleep(11)  # older objects do not count
        yield cluster


@pytest.fixture
def people(guarded: LocalCluster) -> Iterator[Scenario]:
    with scenario_in(guarded, "rights") as scenario:
        yield scenario


def flow(scenario: Scenario, steps: Any = STEPS, name: str = "f", **spec: Any) -> Body:
    return jobflow(scenario.namespace, name, steps, **spec)


def flow_template(scenario: Scenario, name: str, steps: Any = STEPS) -> Body:
    metadata = {"name": name, "namespace": scenario.namespace}
    kind = {"apiVersion": JOBFLOWTEMPLATE.api_version, "kind": JOBFLOWTEMPLATE.kind}
    return {**kind, "metadata": metadata, "spec": {"flow": jobflow("", "", steps)["spec"]}}


def cron_of(scenario: Scenario, **spec: Any) -> Body:
    metadata = {"name": "nightly", "namespace": scenario.namespace}
    kind = {"apiVersion": CRONJOBFLOW.api_version, "kind": CRONJOBFLOW.kind}
    return {**kind, "metadata": metadata, "spec": {"schedules": ["0 3 * * *"], **spec}}


def command(scenario: Scenario, action: str, message: str = "") -> Body:
    body = scenario.get("f")
    target = {"apiVersion": JOBFLOW.api_version, "kind": "JobFlow", "name": "f", "uid": body["metadata"]["uid"]}
    metadata = {"generateName": "order-", "namespace": scenario.namespace}
    said = {"message": message} if message else {}
    return {
        "apiVersion": "bus.volcano.sh/v1alpha1",
        "kind": "Command",
        "metadata": metadata,
        "action": action,
        "target": target,
    } | said


def reason(scenario: Scenario, name: str = "f", step: str = "a") -> str:
    return str(step_of(scenario.get(name), step).get("reason", ""))


def fails_with(scenario: Scenario, wanted: str, name: str = "f") -> str:
    ended = scenario.ended(name)
    step = step_of(ended, "a")
    assert (phase(ended), step["reason"]) == ("Failed", wanted), ended["status"]
    assert scenario.kube.list(WIDGET, scenario.namespace) == []
    return str(step["message"])


def test_who_may_create_the_kind_gets_the_object(people: Scenario) -> None:
    assert "created" in sent(people, "jane", flow(people))
    assert people.get("f")["metadata"]["annotations"][CLAIM] == WIDGETS
    report(people, "f-a", "good")
    people.succeeds("f")


@pytest.mark.parametrize(
    "steps",
    [
        STEPS,
        {"a": {"resource": widget(), "for": {"items": ["x", "y"]}}},
        {"a": {"flow": {"spec": jobflow("", "", STEPS)["spec"]}}},
        {"a": {"flow": {"spec": jobflow("", "", {"b": {"flow": {"spec": jobflow("", "", STEPS)["spec"]}}})["spec"]}}},
    ],
    ids=["step", "loop", "sub-flow", "sub-flow of a sub-flow"],
)
def test_who_may_not_create_the_kind_is_refused(people: Scenario, steps: Any) -> None:
    assert NEEDED + people.namespace in sent(people, "carl", flow(people, steps))
    assert people.kube.list(JOBFLOW, people.namespace) == []


def test_a_step_of_finally_is_judged_too(people: Scenario) -> None:
    people.templates("work")
    body = flow(people, {"w": {"template": "work"}}, **{"finally": [{"name": "a", "resource": widget()}]})
    assert NEEDED in sent(people, "carl", body)


@pytest.mark.parametrize(
    "verb", [("apply",), ("apply", "--server-side", "--force-conflicts", "--field-manager=other"), ("replace",)]
)
def test_a_change_that_adds_the_kind_is_refused(people: Scenario, verb: tuple[str, ...]) -> None:
    people.templates("work")
    held = flow(people, {"w": {"template": "work"}}, suspend=True)
    assert "created" in sent(people, "carl", held)
    changed = flow(people, {"w": {"template": "work"}, **STEPS}, suspend=True)
    assert NEEDED in sent(people, "carl", changed, *verb)


@pytest.mark.parametrize("kind", ["merge", "json"])
def test_a_patch_that_adds_the_kind_is_refused(people: Scenario, kind: str) -> None:
    people.templates("work")
    assert "created" in sent(people, "carl", flow(people, {"w": {"template": "work"}}, suspend=True))
    steps = flow(people, {"w": {"template": "work"}, **STEPS})["spec"]["flows"]
    change: Any = {"spec": {"flows": steps}}
    if kind == "json":
        change = [{"op": "add", "path": "/spec/flows/-", "value": steps[1]}]
    arguments = ["patch", "jobflow", "f", f"--type={kind}", "-p", json.dumps(change), "--as=carl"]
    assert NEEDED in run(people, [*arguments, f"-n{people.namespace}"])


def test_a_flow_of_somebody_else_cannot_be_turned_to_other_ends(people: Scenario) -> None:
    assert "created" in sent(people, "jane", flow(people, suspend=True))
    other = {"a": {"resource": widget(manifest=widget()["manifest"] | {"spec": {"size": 99}})}}
    assert NEEDED in sent(people, "carl", flow(people, other, suspend=True), "apply")
    label = ["label", "jobflow", "f", "team=x", "--as=carl", f"-n{people.namespace}"]
    assert "labeled" in run(people, label)


def test_a_claim_cannot_be_forged(people: Scenario) -> None:
    people.templates("work")
    body = flow(people, {"w": {"template": "work"}}, suspend=True)
    body["metadata"]["annotations"] = {CLAIM: WIDGETS}
    assert NEEDED in sent(people, "carl", body)
    body["metadata"]["annotations"] = {CLAIM: "secrets."}
    assert "the operator allows" in sent(people, "jane", body)
    body["metadata"]["annotations"] = {"flow.jobflow.dev/requested-at": "2020-01-01T00:00:00Z"}
    assert "set by the controller only" in sent(people, "jane", body)
    assert "created" in sent(people, "carl", flow(people, {"w": {"template": "work"}}, suspend=True))
    annotate = ["annotate", "jobflow", "f", f"{CLAIM}={WIDGETS}", "--as=carl", f"-n{people.namespace}"]
    assert NEEDED in run(people, annotate)


def test_a_step_that_patches_its_object_needs_the_right_to_patch(people: Scenario) -> None:
    stop = {"patch": [{"op": "add", "path": "/spec/suspend", "value": True}]}
    body = flow(people, {"a": {"resource": widget(terminate=stop)}})
    assert f"a step stops {WIDGETS} by a patch: paul needs patch" in sent(people, "paul", body)
    assert "created" in sent(people, "paul", flow(people))
    assert "created" in sent(people, "jane", flow(people, {"a": {"resource": widget(terminate=stop)}}, "g"))
    assert people.get("g")["metadata"]["annotations"][CLAIM] == f"{WIDGETS},{WIDGETS}+patch"


def test_a_template_with_the_kind_is_refused_and_so_is_a_flow_that_uses_one(people: Scenario) -> None:
    assert NEEDED in sent(people, "carl", flow_template(people, "t"))
    assert "created" in sent(people, "jane", flow_template(people, "t"))
    uses = {"a": {"flow": {"template": "t"}}}
    assert NEEDED in sent(people, "carl", flow(people, uses))
    assert "created" in sent(people, "jane", flow_template(people, "outer", {"b": {"flow": {"template": "t"}}}))
    assert NEEDED in sent(people, "carl", flow(people, {"a": {"flow": {"template": "outer"}}}))
    assert "created" in sent(people, "jane", flow(people, {"a": {"flow": {"template": "outer"}}}))
    report(people, "f-a-b-a", "good")
    people.succeeds("f")


def test_a_template_that_gets_the_kind_later_does_not_lend_it_to_flows_of_before(people: Scenario) -> None:
    people.templates("work")
    plain = {"w": {"template": "work"}}
    assert "created" in sent(people, "carl", flow_template(people, "t", plain))
    uses = {"a": {"flow": {"template": "t"}}}
    assert "created" in sent(people, "carl", flow(people, uses, suspend=True))
    assert NEEDED in sent(people, "carl", flow_template(people, "t"), "apply")
    assert "configured" in sent(people, "jane", flow_template(people, "t"), "apply")
    assert "created" in sent(people, "carl", command(people, "ResumeJobFlow"))
    people.ended("f")
    assert reason(people, "f-a") == "TemplateChanged"
    assert people.kube.list(WIDGET, people.namespace) == []


def test_a_schedule_is_judged_and_its_flows_create_what_its_author_may(people: Scenario) -> None:
    inline = {"jobFlowTemplate": {"spec": flow(people)["spec"]}}
    assert NEEDED in sent(people, "carl", cron_of(people, **inline))
    assert "created" in sent(people, "jane", flow_template(people, "t"))
    assert NEEDED in sent(people, "carl", cron_of(people, template={"name": "t"}))
    forged = cron_of(
        people, jobFlowTemplate={"metadata": {"annotations": {CLAIM: WIDGETS}}, **inline["jobFlowTemplate"]}
    )
    assert NEEDED in sent(people, "carl", forged)
    assert "created" in sent(people, "jane", cron_of(people, schedules=["* * * * *"], **inline))
    made = until(lambda: people.kube.list(JOBFLOW, people.namespace), 90, lambda: "no flow")[0]
    assert made["metadata"]["annotations"][CLAIM] == WIDGETS
    report(people, f"{made['metadata']['name']}-a", "good")
    people.succeeds(made["metadata"]["name"])
    backfill = {
        "apiVersion": CRONJOBFLOW.api_version,
        "kind": "CronJobFlowBackfill",
        "metadata": {"name": "b", "namespace": people.namespace},
        "spec": {"cronJobFlow": "nightly", "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
    }
    assert NEEDED in sent(people, "carl", backfill)


@pytest.mark.parametrize("action", ["RetryJobFlow", "RestartJobFlow"])
def test_a_command_that_starts_steps_again_needs_the_right(people: Scenario, action: str) -> None:
    assert "created" in sent(people, "jane", flow(people))
    report(people, "f-a", "bad")
    people.ended("f")
    assert NEEDED in sent(people, "carl", command(people, action))
    assert "created" in sent(people, "carl", command(people, "SuspendJobFlow"))
    assert "created" in sent(people, "jane", command(people, action))
    assert "created" in sent(people, "carl", command(people, "ResumeJobFlow"))
    await_object(people, WIDGET, "f-a-r1")


def test_a_retry_with_other_params_needs_the_right(people: Scenario) -> None:
    manifest = widget()["manifest"] | {"spec": {"size": "$(params.size)"}}
    body = flow(people, {"a": {"resource": widget(manifest=manifest)}}, params=[{"name": "size", "value": "s"}])
    assert "created" in sent(people, "jane", body)
    report(people, "f-a", "bad")
    people.ended("f")
    change = json.dumps({"params": {"size": "xxl"}})
    assert NEEDED in sent(people, "carl", command(people, "RetryJobFlow", change))
    assert "created" in sent(people, "jane", command(people, "RetryJobFlow", change))
    assert await_object(people, WIDGET, "f-a-r1")["spec"] == {"size": "xxl"}


def test_a_retry_goes_down_to_a_sub_flow_that_creates_the_kind(people: Scenario) -> None:
    steps = {"a": {"flow": {"spec": jobflow("", "", STEPS)["spec"]}}}
    assert "created" in sent(people, "jane", flow(people, steps))
    report(people, "f-a-a", "bad")
    people.ended("f")
    assert "created" in sent(people, "jane", command(people, "RetryJobFlow"))
    report(people, "f-a-a-r1", "good")
    people.succeeds("f")


def test_what_may_never_be_said_is_refused_for_everybody(people: Scenario) -> None:
    base = widget()["manifest"]
    for manifest, words in (
        ({"apiVersion": "apps/v1", "kind": "Deployment"}, "the operator does not allow"),
        ({"apiVersion": "v1", "kind": "Namespace"}, "never"),
        ({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}, "never"),
        (base | {"kind": "$(params.kind)"}, "must be written out"),
        (base | {"metadata": {"namespace": "kube-system"}}, "the flow's namespace"),
        (base | {"spec": {"template": {"serviceAccountName": "$(params.kind)"}}}, "must be written out"),
    ):
        body = flow(
            people, {"a": {"resource": widget(manifest=manifest)}}, params=[{"name": "kind", "value": "Widget"}]
        )
        assert words in sent(people, "jane", body), manifest


def test_the_policy_holds_while_the_webhook_is_down(people: Scenario) -> None:
    """Its configuration is taken away. A claim is refused as before; without one nothing is created."""
    hooks = [(kind, one) for kind in (MUTATING, VALIDATING) for one in people.kube.list(kind, "")]
    for kind, one in hooks:
        people.kube.delete(kind, "", one["metadata"]["name"])
    try:
        time.sleep(2)  # until the API server has noticed it
        body = flow(people)
        body["metadata"]["annotations"] = {CLAIM: WIDGETS}
        assert NEEDED in sent(people, "carl", body)
        assert "created" in sent(people, "carl", flow(people))
        assert f"it was not checked who may create {WIDGETS}" in fails_with(people, "RightsNotChecked")
        owned = flow(people, STEPS, "owned")
        uid = people.get("f")["metadata"]["uid"]
        owned["metadata"]["ownerReferences"] = [
            {"apiVersion": JOBFLOW.api_version, "kind": "JobFlow", "name": "f", "uid": uid, "controller": True}
        ]
        assert "created" in sent(people, "carl", owned)
        fails_with(people, "TemplateChanged", "owned")
    finally:
        people.cluster.register_webhook()


def test_nothing_is_created_while_the_policy_is_missing_and_older_flows_do_not_count_later(people: Scenario) -> None:
    people.kube.delete(ADMISSION_POLICY_BINDING, "", POLICY)
    try:
        until(
            lambda: people.kube.find(ADMISSION_POLICY_BINDING, "", POLICY) is None,
            30,
            lambda: "the binding is still there",
        )
        time.sleep(2)  # until the API server has noticed it too
        assert "created" in sent(people, "carl", flow(people))
        people.cluster.wait_for(
            JOBFLOW, people.namespace, "f", lambda seen: step_of(seen, "a").get("reason") == "RightsNotChecked", 30
        )
        assert "is missing or does not refuse" in step_of(people.get("f"), "a")["message"]
    finally:
        apply_all(people.cluster, charted())
    fails_with(people, "RightsNotChecked")
    time.sleep(11)
    assert "created" in sent(people, "jane", flow(people, STEPS, "g"))
    report(people, "g-a", "good")
    people.succeeds("g")
