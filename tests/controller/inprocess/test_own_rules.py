"""ValidatingAdmissionPolicies that the controller makes of the `rules` of JobFlowPolicies."""

from typing import Any

import msgspec
import pytest
from aiohttp import web

from controller.context import ControllerContext
from controller.decision import Create, Decision, Delete, Patch, Refusal
from controller.inprocess import reconciler
from controller.inprocess.decide import Observed, RefusedObjects, decide, plan, sweep
from controller.inprocess.generated import GENERATED, RulesOption, object_name
from shared import kinds
from shared.model.types import Body
from shared.policy import CompiledPolicy, Compiler
from tests.controller.support import NOW, running
from tests.purity import pure
from tests.shared.kube.fake import FakeServer, status, until

POLICIES = "/apis/policy.jobflow.dev/v1alpha1/jobflowpolicies"
MADE = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
RULE = {"name": "few", "expression": "size(object.spec.flows) <= 2", "message": "too\nmany"}
OPTION = RulesOption("ours-rules", excluded=("kube-system",))
ON = Observed(True, option=OPTION)


def policy(name: str = "p", generation: int = 1, **spec: Any) -> Body:
    return {"metadata": {"name": name, "generation": generation}, "spec": {"rules": [RULE], **spec}}


def compiled(body: Body) -> CompiledPolicy:
    (found,) = Compiler().compile([body]).compiled
    return found


def specs(body: Body, option: RulesOption = OPTION) -> tuple[Body, Body]:
    observed = msgspec.structs.replace(ON, option=option)
    (_, made), (_, binding) = pure(plan)(body, compiled(body), observed).made
    return made["spec"], binding["spec"]


def decided(body: Body, observed: Observed) -> Decision:
    return pure(decide)(body, plan(body, compiled(body), observed), observed)


def with_uids(body: Body) -> dict[Any, Body]:
    made = plan(body, compiled(body), ON).made
    return {
        (kind, each["metadata"]["name"]): {**each, "metadata": {**each["metadata"], "uid": kind.kind}}
        for kind, each in made
    }


def test_a_policy_and_its_binding_are_made_before_the_status_lists_the_rule() -> None:
    body = policy()
    decision = decided(body, ON)
    assert [(type(each), each.kind) for each in decision.writes] == [
        (Create, kinds.ADMISSION_POLICY),
        (Create, kinds.ADMISSION_POLICY_BINDING),
    ]
    assert decision.status is not None
    assert decision.status["inProcess"]["rules"] == ["rules.few"]
    settled = {**body, "status": decision.status}
    decision = decided(settled, msgspec.structs.replace(ON, stored=with_uids(body)))
    assert (decision.writes, decision.status) == ((), None)


def test_expressions_of_users_are_variables_of_their_own() -> None:
    odd = {"name": "odd", "expression": "true // )", "messageExpression": "'a' // '"}
    made, _ = specs(policy(rules=[odd], variables=[{"name": "v", "expression": "1 // x"}]))
    variables = {each["name"]: each["expression"] for each in made["variables"]}
    assert (variables["v"], variables["holds0"], variables["says0"]) == ("1 // x", "true // )", "'a' // '")
    (validation,) = made["validations"]
    assert "//" not in validation["expression"] + validation["messageExpression"]
    assert made["failurePolicy"] == "Ignore"


def test_a_message_has_one_line() -> None:
    made, _ = specs(policy())
    assert made["validations"][0]["message"] == "rules.few: too many"


def test_an_update_is_judged_if_it_changes_what_the_rule_reads() -> None:
    made, _ = specs(policy())
    assert made["validations"][0]["expression"] == (
        "!(variables.applies && (!variables.before"
        ' || dyn(object)[?"spec"][?"flows"] != dyn(oldObject)[?"spec"][?"flows"])) || variables.holds0'
    )


@pytest.mark.parametrize(
    ("mode", "warns", "action"),
    [
        ("Enforce", False, "Deny"),
        ("Warn", False, "Audit"),
        ("Warn", True, "Warn"),
        ("Audit", True, "Audit"),
    ],
)
def test_the_binding_names_its_policy_and_has_the_action_of_the_mode(mode: str, warns: bool, action: str) -> None:
    _, binding = specs(policy(mode=mode), msgspec.structs.replace(OPTION, warns=warns))
    assert binding["validationActions"] == [action]
    assert binding["paramRef"] == {"name": "p", "parameterNotFoundAction": "Allow"}
    (excluded,) = binding["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert (excluded["operator"], excluded["values"]) == ("NotIn", ["kube-system"])


def test_it_judges_only_the_version_of_the_policy_of_which_it_was_made() -> None:
    made, _ = specs(policy(generation=7))
    (condition,) = made["matchConditions"]
    assert "(params.metadata.generation == 7)" in condition["expression"]


def test_names_are_short_and_the_same_every_time() -> None:
    assert object_name("ours-rules", "house") == "ours-rules-house"
    one, other = (object_name("ours-rules", "x" * 200 + end) for end in "ab")
    assert one != other
    assert max(len(one), len(other)) <= 63


def test_what_somebody_has_edited_is_restored() -> None:
    body = policy()
    for change in ({"spec": {}}, {"metadata": {"name": "ours-rules-p", "uid": "u", "labels": {"team": "a"}}}):
        stored = {key: {**each, **change} for key, each in with_uids(body).items()}
        actions = decided(body, msgspec.structs.replace(ON, stored=stored)).writes
        assert [type(each) for each in actions] == [Patch, Patch]


def test_what_is_generated_is_deleted_with_a_policy_of_the_chart() -> None:
    owned = msgspec.structs.replace(OPTION, owner="ours-approvals")
    chart = {"metadata": {"name": "ours-approvals", "uid": "u1"}}
    body = policy()
    observed = msgspec.structs.replace(ON, option=owned, stored={(kinds.ADMISSION_POLICY, "ours-approvals"): chart})
    made = pure(plan)(body, compiled(body), observed).made
    (owner,) = made[0][1]["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("ValidatingAdmissionPolicy", "ours-approvals", "u1")
    assert made[1][1]["metadata"]["ownerReferences"] == [owner]
    missing = plan(body, compiled(body), msgspec.structs.replace(observed, stored={}))
    assert missing.made == ()
    assert missing.rules is not None
    assert (missing.rules.rules, "ours-approvals is missing" in missing.rules.webhook_only[0].why) == ((), True)
    stored = {**observed.stored, **with_uids(body)}  # made before the owner was known
    observed = msgspec.structs.replace(observed, stored=stored)
    patches = decide(body, plan(body, compiled(body), observed), observed).writes
    assert [each.patch[-1]["value"] for each in patches if isinstance(each, Patch)] == [[owner], [owner]]


def test_what_is_made_of_no_rule_is_deleted_and_nothing_of_others() -> None:
    body = policy()
    foreign = {"metadata": {"name": "other", "uid": "u", "labels": {GENERATED: "theirs-rules"}}}
    stored = {**with_uids(body), (kinds.ADMISSION_POLICY, "other"): foreign}
    made = plan(body, compiled(body), ON).made
    assert pure(sweep)([made], stored, OPTION) == ()
    swept = pure(sweep)([], stored, OPTION)
    assert [(type(each), each.kind) for each in swept] == [
        (Delete, kinds.ADMISSION_POLICY),
        (Delete, kinds.ADMISSION_POLICY_BINDING),
    ]
    being_deleted = {**body, "metadata": {**body["metadata"], "deletionTimestamp": "2026-11-28T00:00:00Z"}}
    assert plan(being_deleted, compiled(body), ON).made == ()


def test_what_was_refused_is_not_tried_again_until_it_changes() -> None:
    body = policy(limits={"maxSteps": 3})
    refused = RefusedObjects(plan(body, compiled(body), ON).made, Refusal(422, "undeclared\n reference", NOW))
    observed = msgspec.structs.replace(ON, refused=refused)
    decision = decided(body, observed)
    assert decision.writes == ()
    assert decision.status is not None
    assert decision.status["inProcess"] == {
        "rules": ["limits.maxSteps"],
        "webhookOnly": [{"rule": "rules.few", "why": "the API server refuses it: undeclared reference"}],
        "observedGeneration": 1,
    }
    edited = policy(generation=2)
    assert len(decided(edited, observed).writes) == 2


def test_without_the_option_nothing_is_made() -> None:
    body = policy()
    decision = decided(body, Observed(True))
    assert decision.writes == ()
    assert decision.status is not None
    assert decision.status["inProcess"]["rules"] == []


@pytest.fixture
def installed(context: ControllerContext) -> ControllerContext:
    settings = msgspec.structs.replace(context.settings, in_process_policies=True, in_process_rules="ours-rules")
    return ControllerContext(**{**vars(context), "settings": settings})


def names(fake: FakeServer, collection: str = MADE) -> list[str]:
    return sorted(name for _, name in fake.objects.get(collection, {}))


async def test_the_objects_follow_the_policy(fake: FakeServer, installed: ControllerContext) -> None:
    fake.put(MADE, {"metadata": {"name": "ours-rules-gone", "labels": {GENERATED: "ours-rules"}}, "spec": {}})
    fake.put(MADE, {"metadata": {"name": "foreign"}, "spec": {}})
    fake.put(POLICIES, policy())
    async with running(installed, reconciler.build(installed)):
        await until(lambda: names(fake) == ["foreign", "ours-rules-p"] and names(fake, BINDINGS) == ["ours-rules-p"])
        fake.remove(MADE, "", "ours-rules-p")
        await until(lambda: "ours-rules-p" in names(fake))
        edited = fake.objects[BINDINGS]["", "ours-rules-p"]
        fake.put(BINDINGS, {**edited, "spec": {**edited["spec"], "validationActions": ["Audit"]}})
        await until(lambda: fake.objects[BINDINGS]["", "ours-rules-p"]["spec"]["validationActions"] == ["Deny"])
        fake.remove(POLICIES, "", "p")
        await until(lambda: names(fake) == ["foreign"] and names(fake, BINDINGS) == [])


async def test_a_refusal_is_stated_and_tried_once(fake: FakeServer, installed: ControllerContext) -> None:
    tried: list[str] = []

    async def refuse(request: web.Request) -> web.StreamResponse | None:
        if request.method != "POST" or not request.path.startswith(MADE):
            return None
        tried.append(request.path)
        return status(422, "Invalid", "undeclared reference", causes=[{"field": "spec.variables[0]"}])

    fake.before = refuse
    fake.put(POLICIES, policy())

    def stated() -> Body:
        return (fake.objects[POLICIES]["", "p"].get("status") or {}).get("inProcess") or {}

    async with running(installed, reconciler.build(installed)):
        await until(lambda: "undeclared reference" in str(stated()))
        fake.put(POLICIES, policy("q", rules=[]))
        await until(lambda: "status" in fake.objects[POLICIES]["", "q"])
        assert tried.count(MADE) == 1
        assert stated()["rules"] == []
