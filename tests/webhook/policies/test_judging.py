"""Rules, whom a policy is about, several policies, updates."""

from typing import Any

import msgspec
import pytest

from shared.model.policy import JobFlowPolicySpec
from shared.model.types import Body
from shared.policy import CompiledPolicy, compile_policy
from shared.policy.compiled.check_expressions import request_field_faults
from tests.webhook.make import flow, job, step, template
from tests.webhook.policies.make import (
    AROUND,
    DENY,
    RUNNING,
    container,
    judged,
    labelled,
    namespace,
    pods,
    policy,
)


def reported(
    expression: str, manifest: Body, *, old: Body | None = None, user: str = "", message: str = ""
) -> list[str]:
    rules = [{"name": "r", "expression": expression, "message": message}]
    verdict = judged(manifest, *AROUND, policy(rules=rules), old=old, user=user)
    return [each.message for each in verdict.policies]


def test_a_violated_rule_shows_its_message_or_expression() -> None:
    assert reported("object.spec.queue == 'x'", job(), message="use x") == ["use x"]
    assert reported("object.spec.queue ==\n 'x'", job()) == ["must hold: object.spec.queue == 'x'"]


def test_a_rule_that_fails_to_evaluate_is_violated() -> None:
    assert reported("object.spec.nosuch == 1", job(), message="unused") == [
        'could not be evaluated: no such key: "nosuch"'
    ]


REQUEST: dict[str, str] = {
    "kind": "request.kind.kind == 'Job' && request.requestKind == request.kind",
    "resource": "request.resource.resource == 'jobs' && request.requestResource.group == 'batch.volcano.sh'",
    "no subresource": "!has(request.subResource) && !has(request.requestSubResource)",
    "a subresource by default": "request.?subResource.orValue('') == ''",
    "name": "request.name != '' && request.namespace != '' && request.uid != ''",
    "options": "has(request.options) && !request.dryRun",
    "user": "!has(request.userInfo.uid) && size(request.userInfo.extra) == 0",
}


@pytest.mark.parametrize("expression", REQUEST.values(), ids=REQUEST)
def test_a_request_has_the_fields_of_validating_admission_policies(expression: str) -> None:
    assert reported(expression, job()) == []


NO_FIELDS: dict[str, tuple[str, str]] = {
    "a field": ("request.operaton == 'CREATE'", 'request has no field "operaton"; did you mean "operation"?'),
    "a field of the user": (
        "request.userInfo.name == 'a'",
        'request.userInfo has no field "name"; did you mean "username"?',
    ),
    "the kind as text": ("request.kind.Kind == 'Job'", 'request.kind has no field "Kind"; did you mean "kind"?'),
    "a subresource that is never there": ("request.subResource == 'status'", "policies judge no subresources"),
}


@pytest.mark.parametrize(("expression", "said"), NO_FIELDS.values(), ids=NO_FIELDS)
def test_a_field_that_requests_do_not_have_is_refused_but_a_stored_policy_that_reads_it_stays_in_force(
    expression: str, said: str
) -> None:
    body = policy(rules=[{"name": "r", "expression": expression, "messageExpression": f"string({expression})"}])
    found = list(request_field_faults(msgspec.convert(body["spec"], JobFlowPolicySpec)))
    assert [each.path for each in found] == ["spec.rules[0].expression", "spec.rules[0].messageExpression"]
    assert said in str(found[0])
    assert isinstance(compile_policy(body), CompiledPolicy)


def test_a_rule_sees_old_object_request_and_namespace() -> None:
    assert reported("oldObject == null", job()) == []
    assert reported("oldObject.spec.minAvailable == 1", job(minAvailable=2), old=job(minAvailable=1)) == []
    assert reported("request.operation == 'CREATE' && request.userInfo.username == 'ann'", job(), user="ann") == []
    assert reported("namespaceObject.metadata.name == request.namespace", job()) == []


# --- match and exempt -------------------------------------------------------------------------------------------------


MATCHES: dict[str, tuple[dict[str, Any], bool]] = {
    "nothing said": ({}, True),
    "its kind": ({"kinds": ["Job"]}, True),
    "another kind": ({"kinds": ["JobFlow", "JobTemplate"]}, False),
    "its namespace's label": ({"namespaceSelector": {"matchLabels": {"env": "prod"}}}, True),
    "another label": ({"namespaceSelector": {"matchLabels": {"env": "test"}}}, False),
    "its namespace by name": ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ns1"}}}, True),
    "In": ({"objectSelector": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]}]}}, True),
    "NotIn": ({"objectSelector": {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}}, False),
    "NotIn of an absent label": (
        {"objectSelector": {"matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["a"]}]}},
        True,
    ),
    "Exists": ({"objectSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}}, True),
    "DoesNotExist": ({"objectSelector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}}, False),
    "both must fit": ({"kinds": ["Job"], "objectSelector": {"matchLabels": {"team": "b"}}}, False),
}


@pytest.mark.parametrize(("match", "wanted"), MATCHES.values(), ids=MATCHES)
def test_a_policy_applies_only_to_matching_objects(match: dict[str, Any], wanted: bool) -> None:
    manifest = labelled(job(), team="a")
    verdict = judged(manifest, namespace(env="prod"), policy(match=match, **DENY))
    assert bool(verdict.policies) is wanted


def test_an_object_matches_by_its_labels_before_or_after_the_change() -> None:
    team = {"match": {"objectSelector": {"matchLabels": {"team": "a"}}}, **DENY}
    old = labelled(job(minAvailable=1), team="a")
    assert judged(job(minAvailable=2), policy(**team), old=old).policies
    assert not judged(job(minAvailable=2), policy(**team), old=job(minAvailable=1)).policies


EXEMPT: dict[str, tuple[dict[str, Any], bool]] = {
    "nobody": ({}, False),
    "the user": ({"usernames": ["ann"]}, True),
    "another user": ({"usernames": ["bob"]}, False),
    "users by pattern": ({"usernames": ["a*"]}, True),
    "a group": ({"groups": ["ops"]}, True),
    "another group": ({"groups": ["dev"]}, False),
    "the namespace": ({"namespaces": ["ns1"]}, True),
    "another namespace": ({"namespaces": ["ns"]}, False),
}


@pytest.mark.parametrize(("exempt", "wanted"), EXEMPT.values(), ids=EXEMPT)
def test_exempt_users_are_not_restricted(exempt: dict[str, Any], wanted: bool) -> None:
    verdict = judged(job(), policy(exempt=exempt, **DENY), user="ann", groups=("ops", "system:authenticated"))
    assert verdict.allowed is wanted


# --- several policies -------------------------------------------------------------------------------------------------


def test_of_equal_violations_the_strictest_mode_wins_and_all_are_counted() -> None:
    steps = flow(step("a"), step("b"), step("c"))
    policies = [policy(name, mode=mode, limits={"maxSteps": 2}) for name, mode in zip("abc", MODES, strict=True)]
    verdict = judged(steps, template(name="a"), template(name="b"), template(name="c"), *policies)
    assert [each.message for each in verdict.violations] == [
        'has 3 steps, at most 2 are allowed (policy "c", limits.maxSteps)'
    ]
    assert verdict.warnings == ()
    assert sorted(verdict.audit) == ["a", "b", "c"]
    assert [(each.policy, each.superseded) for each in verdict.policies] == [("a", True), ("b", True), ("c", False)]


MODES = ("Audit", "Warn", "Enforce")


def test_different_violations_keep_their_own_modes() -> None:
    verdict = judged(
        flow(step("a"), step("b")),
        template(name="a"),
        template(name="b"),
        policy("a", mode="Warn", limits={"maxSteps": 1}),
        policy("b", required={"labels": ["team"]}),
    )
    assert len(verdict.violations) == len(verdict.warnings) == 1


def test_a_long_name_makes_an_audit_key_that_the_api_server_takes() -> None:
    (key,) = judged(job(), policy("x" * 200, mode="Audit", **DENY)).audit
    assert len(key) <= 63
    assert key.startswith("x" * 52)


def test_warnings_are_bounded() -> None:
    containers = [container(name=f"c{number}") for number in range(40)]
    verdict = judged(pods(containers=containers), policy(mode="Warn", required={"resourceRequests": ["cpu"]}))
    assert len(verdict.warnings) == 21
    assert verdict.warnings[-1] == "20 more violations of policies"
    assert verdict.audit["house"].endswith("; and 30 more")


def test_a_policy_that_does_not_compile_is_skipped() -> None:
    broken = policy("broken", rules=[{"name": "r", "expression": "nonsense("}])
    assert judged(job(), broken).allowed
    assert not judged(job(), broken, policy(**DENY)).allowed


# --- updates ----------------------------------------------------------------------------------------------------------


def test_suspending_is_never_refused() -> None:
    old = flow(step("a"), step("b"))
    suspended = {**old, "spec": {**old["spec"], "suspend": True}}
    assert judged(suspended, policy(**DENY), old=old).allowed
    more = {**old, "spec": {**old["spec"], "suspend": True, "parallelism": 3}}
    assert not judged(more, policy(**DENY), old=old).allowed


def test_resuming_counts_as_one_more_running_flow() -> None:
    one = policy(limits={"maxRunningFlows": 1})
    suspended, resumed = flow(step("a"), suspend=True), flow(step("a"))
    assert not judged(resumed, RUNNING, one, old=suspended).allowed
    assert judged(resumed, one, old=suspended).allowed
    edited = flow(step("a"), parallelism=2)
    assert judged(edited, RUNNING, one, old=resumed).allowed, "an edit starts nothing"


COUNTED: dict[str, tuple[Body, int]] = {
    "new": (RUNNING, 1),
    "running": ({**RUNNING, "status": {"state": {"phase": "Running"}}}, 1),
    "ended": ({**RUNNING, "status": {"state": {"phase": "Failed"}}}, 0),
    "succeeded": ({**RUNNING, "status": {"state": {"phase": "Succeed"}}}, 0),
    "suspended": (flow(step("a"), name="other", suspend=True), 0),
    "going": ({**RUNNING, "metadata": {"name": "other", "deletionTimestamp": "2026-01-02T03:04:05Z"}}, 0),
    "itself": (flow(step("a"), name="f"), 0),
}


@pytest.mark.parametrize(("manifest", "count"), COUNTED.values(), ids=COUNTED)
def test_ended_and_suspended_flows_do_not_count_as_active(manifest: Body, count: int) -> None:
    assert judged(flow(step("a")), manifest, policy(limits={"maxActiveFlows": 1})).allowed is not bool(count)
