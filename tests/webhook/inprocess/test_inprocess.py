"""ValidatingAdmissionPolicies for JobFlowPolicies: what they refuse, and that they never refuse what the webhook accepts."""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared import kinds
from shared.model.types import Body
from shared.policy.in_process import NEVER, PARTLY, WHOLLY
from tests.webhook.inprocess.agreement import (
    Disagreement,
    by,
    completed,
    disagreement,
    found_by_webhook,
    found_in,
    with_status,
)
from tests.webhook.inprocess.generate import IMAGES, changed, random_object, random_policy
from tests.webhook.inprocess.offline import refusals
from tests.webhook.make import body, envelope, flow, job, known, review, step, task
from tests.webhook.policies.fields import FIELDS
from tests.webhook.policies.make import labelled, namespace, pods, policy
from tests.webhook.server.serving import running
from webhook.inprocess import __main__ as command
from webhook.inprocess.admission_policies import ACTIONS, FLOWS, JOBS, modes, policies
from webhook.server.handler import AdmissionHandler
from webhook.verdict.admit import policy_verdict
from webhook.verdict.kind_admission import AdmissionOptions

NAMESPACE = namespace("ns1", **{"kubernetes.io/metadata.name": "ns1", "team": "vision"})
IN_PROCESS = AdmissionOptions(in_process_policies=True)


def reported(new: Body, *bodies: Body, old: Body | None = None, mode: str = "Enforce") -> list[str]:
    """What the policies of a mode say of a creation, or of an update of `old`."""
    return [
        text for body in with_status(bodies, generation=1) for text in refusals(review(new, old), NAMESPACE, body, mode)
    ]


def test_the_generated_file_of_the_chart_is_up_to_date() -> None:
    assert command.main(["--check"]) == 0


def test_check_reports_an_outdated_file(tmp_path: Path) -> None:
    arguments = ["--file", str(tmp_path / "policies.yaml")]
    assert command.main([*arguments, "--check"]) == 1
    assert command.main(arguments) == 0
    assert command.main([*arguments, "--check"]) == 0
    written = yaml.safe_load((tmp_path / "policies.yaml").read_text())
    assert written == {"modes": [each._asdict() for each in modes()], "policies": policies()}


def test_every_check_that_is_listed_is_written_in_cel() -> None:
    assert {*JOBS.checks, *FLOWS.checks} == {*WHOLLY, *PARTLY}


@pytest.mark.parametrize("field", FIELDS)
def test_what_violates_a_field_is_refused_as_far_as_the_status_lists_it(field: str) -> None:
    spec, bad, good, _ = FIELDS[field]
    said = reported(bad, policy("house", **spec))
    assert reported(good, policy("house", **spec)) == []
    if field in WHOLLY or field in PARTLY:
        assert [text for text in said if text.startswith(f'policy "house" ({field}): ')] == said
        assert len(said) == 1
    else:
        assert said == []
        assert field in NEVER or field.startswith("rules.")


def test_only_the_policy_of_a_mode_judges_the_policies_of_that_mode() -> None:
    for mode in ACTIONS:
        house = policy("house", limits={"maxSteps": 1}, mode=mode.value)
        said = {other.value: bool(reported(flow(), house, mode=other.value)) for other in ACTIONS}
        assert said == {other.value: other is mode for other in ACTIONS}


def test_a_policy_is_not_judged_before_the_controller_has_read_it() -> None:
    body = with_status([policy("house", limits={"maxSteps": 1})], generation=1)[0]
    assert refusals(review(flow()), NAMESPACE, body)
    changed_since = {**body, "metadata": {**body["metadata"], "generation": 2}}
    without = {key: value for key, value in body.items() if key != "status"}
    for unread in (changed_since, without, {**body, "status": {}}):
        assert refusals(review(flow()), NAMESPACE, unread) == []


TEAM = {"matchLabels": {"team": "vision"}}
APPLIES: dict[str, tuple[dict[str, Any], bool]] = {
    "to every kind": ({}, True),
    "to this kind": ({"match": {"kinds": ["JobFlow"]}}, True),
    "not to another kind": ({"match": {"kinds": ["Job"]}}, False),
    "to a namespace": ({"match": {"namespaceSelector": TEAM}}, True),
    "not to another namespace": ({"match": {"namespaceSelector": {"matchLabels": {"team": "nlp"}}}}, False),
    "not to an object without the label": ({"match": {"objectSelector": TEAM}}, False),
    "to an object without a label": (
        {"match": {"objectSelector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}}},
        True,
    ),
    "not in an exempt namespace": ({"exempt": {"namespaces": ["ns?"]}}, False),
    "not to an exempt user": ({"exempt": {"usernames": ["a*"]}}, False),
    "to another user": ({"exempt": {"usernames": ["a"]}}, True),
    "not to an exempt group": ({"exempt": {"groups": ["research-*"]}}, False),
}


@pytest.mark.parametrize("case", APPLIES)
def test_a_policy_applies(case: str) -> None:
    spec, applies = APPLIES[case]
    given = by(review(flow()), "ann", "research-1")
    body = with_status([policy("house", limits={"maxSteps": 1}, **spec)], generation=1)[0]
    assert bool(refusals(given, NAMESPACE, body)) is applies
    assert bool(found_by_webhook(given, [body], NAMESPACE)) is applies


def test_an_update_is_refused_for_new_faults_only() -> None:
    house = policy("house", allowed={"queues": ["q1"]}, limits={"maxRetry": 1})
    stored = job(queue="other", maxRetry=1)
    assert reported(labelled(stored, team="x"), house, old=stored) == []
    assert reported(job(queue="other", maxRetry=2), house, old=stored) == [
        'policy "house" (limits.maxRetry): 2 retries: at most 1 retry'
    ]
    assert reported(job(queue="another", maxRetry=1), house, old=stored)


def test_suspending_a_flow_is_not_refused_but_a_change_under_cover_of_it_is() -> None:
    house = policy("house", limits={"maxSteps": 1}, match={"objectSelector": TEAM})
    stored, one = flow(step("a"), step("b")), flow(step("a"))
    assert reported(flow(step("a"), step("b"), suspend=True), house, old=stored) == []
    suspended = policy("house", limits={"maxSteps": 1})
    assert reported(flow(step("a"), step("b"), suspend=True), suspended, old=one)
    assert reported(labelled(flow(step("a"), step("b"), suspend=True), team="vision"), house, old=one)


def test_all_faults_of_an_object_that_comes_under_a_policy_by_its_labels_are_new() -> None:
    house = policy("house", allowed={"queues": ["q1"]}, match={"objectSelector": TEAM})
    stored = job(queue="other")
    both = (reported(labelled(stored, team="vision"), house, old=stored), reported(stored, house, old=stored))
    assert [len(each) for each in both] == [1, 0]
    assert found_by_webhook(review(labelled(stored, team="vision"), stored), [house], NAMESPACE)
    assert reported(labelled(stored, team="nlp"), house, old=labelled(stored, team="vision")) == []


def test_a_stored_flow_whose_loop_ran_too_many_jobs_may_get_another_fault_of_that_kind() -> None:
    """The webhook counts the Jobs of the loop: both flows run three at once."""
    house = policy("house", limits={"maxParallelism": 2})
    looping, other = flow(step("a", **{"for": {"range": {"end": 3}}})), flow(step("a"), step("b"), step("c"))
    assert reported(other, house, old=looping) == []
    assert found_by_webhook(review(other, looping), [house], NAMESPACE) == frozenset()
    assert reported(other, house, old=flow(step("a")))


def test_writing_a_default_into_the_job_of_a_schedule_is_no_new_fault() -> None:
    house = policy("house", denied={"queues": ["default"], "schedulerNames": ["volcano"]})

    def schedule(**spec: Any) -> Body:
        return body(kinds.CRONJOB, "x", {"schedule": "0 1 * * *", "jobTemplate": {"spec": {"tasks": [task()], **spec}}})

    written = schedule(queue="default", schedulerName="volcano")
    assert reported(written, house, old=schedule()) == []
    assert found_by_webhook(review(written, schedule()), [house], NAMESPACE) == frozenset()
    assert len(reported(written, house)) == 2
    assert len(reported(written, house, old=schedule(queue="q1", schedulerName="mine"))) == 2


EMPTY = {
    "a JobFlowTemplate": (kinds.JOBFLOWTEMPLATE, None),
    "a JobFlowTemplate without a flow": (kinds.JOBFLOWTEMPLATE, {"flow": {}}),
    "a CronJobFlow": (kinds.CRONJOBFLOW, None),
    "a CronJobFlow without a flow": (kinds.CRONJOBFLOW, {"jobFlowTemplate": {}}),
    "a CronJob without a Job": (kinds.CRONJOB, {"jobTemplate": {}}),
}


@pytest.mark.parametrize("case", EMPTY)
def test_what_contains_no_template_is_left_to_the_schema(case: str) -> None:
    kind, spec = EMPTY[case]
    empty = body(kind, "empty", spec)
    house = policy("house", limits={"maxActiveDeadlineSeconds": 60}, required={"labels": ["team"]})
    assert reported(empty, house) == []
    assert found_by_webhook(review(empty), [house], NAMESPACE) == frozenset()


def test_absent_fields_that_a_policy_sets_are_left_to_the_webhook() -> None:
    strict = policy("strict", limits={"maxActiveDeadlineSeconds": 60}, required={"labels": ["team"]})
    kind = policy("kind", defaults={"activeDeadlineSeconds": 30, "labels": {"team": "x"}})
    assert len(reported(flow(step("a")), strict)) == 2
    assert reported(flow(step("a")), strict, kind) == []
    assert len(reported(flow(step("a"), activeDeadlineSeconds=61), strict, kind)) == 1


def test_a_malformed_task_does_not_hide_the_faults_of_another() -> None:
    house = policy("house", denied={"serviceAccounts": ["root"]}, required={"resourceRequests": ["cpu"]})
    bad = {"name": "bad", "replicas": 1, "template": {"spec": {"serviceAccountName": "root", "containers": [{}]}}}
    for broken in ("text", 5, [], {"spec": 5}, {"spec": {"containers": 5}}, {"spec": {"containers": ["x"]}}):
        others = [{"name": "odd", "replicas": 0, "template": broken}, bad]
        for tasks in (others, others[::-1]):
            said = reported(job(*tasks), house)
            assert any("serviceAccounts" in text for text in said), broken
            assert any("resourceRequests" in text for text in said), broken


PATTERNS = (
    *("*", "busybox", "bus*", "*/app", "user/*", "*:latest", "docker.io/*", "docker.io/busybox", "index.docker.io/*"),
    *(
        "registry.example.com/*",
        "Registry.Example.com/team/*",
        "registry.example.com/*:1.?",
        "registry.example.com:5000/*",
    ),
    *(
        "*.example.com/*",
        "*/*/app",
        "localhost/*",
        "*@sha256:*",
        "registry.example.com/app@sha256:0123*",
        "app:*",
        "?pp",
    ),
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_images_are_compared_as_by_the_webhook(pattern: str) -> None:
    containers = [{"name": f"c{at}", "image": image} for at, image in enumerate(IMAGES)]
    manifest = pods(containers=containers)
    for group in ("allowed", "denied"):
        house = policy("house", **{group: {"images": [pattern]}})
        verdict = found_values(manifest, house)
        said = "; ".join(reported(manifest, house))
        assert {image for image in IMAGES if f'"{image}" is' in said} == verdict


def found_values(manifest: Body, house: Body) -> set[str]:
    verdict = policy_verdict(review(manifest), known(house, NAMESPACE), AdmissionOptions())
    return {str(each.value) for each in verdict.policies}


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_refused_that_the_webhook_accepts(seed: int) -> None:
    rng = random.Random(seed)
    differ: list[Disagreement] = []
    refused = 0
    for _ in range(6):
        given = with_status([random_policy(rng, f"p{at}") for at in range(rng.randint(1, 3))], generation=1)
        for _ in range(3):
            stored, old = random_object(rng, "x"), None
            if rng.random() < 0.4:
                old, stored = stored, changed(rng, stored)
            user, groups = rng.choice(["ann", "bob", "system:serviceaccount:ci:x"]), rng.choice([(), ("research-1",)])
            raw = by(review(stored, old), user, *groups)
            whole = completed(raw, given, NAMESPACE)
            webhook = found_by_webhook(whole, given, NAMESPACE)
            said = [_found(each, given) for each in (raw, whole)]
            refused += bool(said[1])
            assert not said[0] - webhook
            difference = disagreement(whole, given, webhook, said[1])
            if difference and (difference.too_much or not _is_known(difference)):
                differ.append(difference)
    assert differ == []
    assert refused


def _found(given: Any, bodies: list[Body]) -> frozenset[tuple[str, str]]:
    return found_in(
        text for body in bodies for mode in ACTIONS for text in refusals(given, NAMESPACE, body, mode.value)
    )


def _is_known(difference: Disagreement) -> bool:
    """What the webhook alone refuses: updates that repeat a fault elsewhere, and defaults of the Job in a CronJob."""
    updated = difference.review.old_object is not None
    of_defaults = all(rule.rpartition(".")[2] in ("queues", "schedulerNames") for _, rule in difference.too_little)
    return updated or (difference.review.kind.kind == "CronJob" and of_defaults)


@pytest.mark.parametrize("manifest", [flow(), job(queue="other")], ids=["flow", "job"])
async def test_the_mutating_webhook_refuses_with_the_words_of_the_validating_one(manifest: Body) -> None:
    house = policy("house", limits={"maxSteps": 1}, allowed={"queues": ["q1"]})
    path = f"/{manifest['kind'].lower()}s"
    async with running(AdmissionHandler(known(house, NAMESPACE), IN_PROCESS)) as client:
        _, mutated = await client.post(f"{path}/mutate", envelope(review(manifest)))
        _, validated = await client.post(f"{path}/validate", envelope(review(manifest)))
    assert mutated["response"]["allowed"] is False
    assert mutated["response"]["status"] == validated["response"]["status"]


@pytest.mark.parametrize(
    ("spec", "options"),
    [
        ({"limits": {"maxSteps": 1}}, AdmissionOptions()),
        ({"limits": {"maxSteps": 1}, "mode": "Warn"}, IN_PROCESS),
        ({"limits": {"maxDepth": 1}}, IN_PROCESS),
        ({"limits": {"maxSteps": 1}, "exceptions": {"allowedNamespaces": ["*"], "maxDuration": "24h"}}, IN_PROCESS),
    ],
    ids=["not installed", "warning", "not in process", "exceptions"],
)
async def test_the_mutating_webhook_leaves_other_violations_to_the_validating_one(
    spec: dict[str, Any], options: AdmissionOptions
) -> None:
    async with running(AdmissionHandler(known(policy("house", **spec), NAMESPACE), options)) as client:
        _, mutated = await client.post("/jobflows/mutate", envelope(review(flow())))
        _, validated = await client.post("/jobflows/validate", envelope(review(flow())))
    assert mutated["response"]["allowed"] is True
    assert "warnings" not in mutated["response"]
    warned = [text for text in validated["response"].get("warnings", ()) if text.startswith("policy house")]
    assert len(warned) == (spec.get("mode") == "Warn")
    assert validated["response"]["allowed"] is bool(warned)
