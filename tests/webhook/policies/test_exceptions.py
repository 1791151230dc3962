"""JobFlowPolicyExceptions at admission: what they allow, for whom, until when, and attempts to get around policies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import kinds
from shared.model.types import Body
from shared.timestamp import rfc3339
from tests.webhook.make import body, flow, job, known, pod_template, review, step, task, template
from tests.webhook.policies.fields import FIELDS
from tests.webhook.policies.make import AROUND, container, labelled, namespace, pods, policy
from webhook.envelope.review import AdmissionVerdict
from webhook.verdict.admit import validate
from webhook.verdict.kind_admission import AdmissionOptions

CREATED = 1_790_000_000.0
HOUR = 3600.0
ALLOWED: Body = {"exceptions": {"allowedNamespaces": ["ns1", "team-*"], "maxDuration": "24h"}}
IMAGES: Body = {"allowed": {"images": ["registry.corp/*"]}}


def exception(
    *rules: str, name: str = "x", hours: float = 24, policies: list[Body] | None = None, **match: Any
) -> Body:
    """An exception to the policy `house` in ns1 that ends so many hours after its creation."""
    spec: Body = {
        "policies": policies or [{"name": "house", "rules": list(rules)}],
        "expiresAt": rfc3339(CREATED + hours * HOUR),
        "reason": "a test",
    }
    made = body(kinds.JOBFLOWPOLICYEXCEPTION, name, spec | ({"match": match} if match else {}))
    made["metadata"] |= {"creationTimestamp": rfc3339(CREATED), "generation": 1}
    return made


def changed(given: Body, **metadata: Any) -> Body:
    return {**given, "metadata": {**given["metadata"], **metadata}}


def judged(new: Body, *others: Body, old: Body | None = None, hours: float | None = 1) -> AdmissionVerdict:
    """The verdict so many hours after CREATED; None: at an unknown time."""
    options = AdmissionOptions(now=None if hours is None else CREATED + hours * HOUR)
    return validate(review(new, old), known(*others), options)


FOREIGN = pods(containers=[container(image="evil.io/app:1")])


@pytest.mark.parametrize("rule", FIELDS)
def test_every_rule_can_be_excepted_by_its_name_and_only_by_it(rule: str) -> None:
    spec, bad, _, _ = FIELDS[rule]
    house = policy(**spec, **ALLOWED)
    assert judged(bad, *AROUND, house, exception(rule)).violations == ()
    assert judged(bad, *AROUND, house, exception("rules.another")).violations != ()


def test_users_and_the_audit_log_are_told_by_what_and_until_when() -> None:
    given = judged(FOREIGN, policy(**IMAGES, **ALLOWED), exception("allowed.images", name="vendor"))
    until = rfc3339(CREATED + 24 * HOUR)
    assert given.warnings == (f'policy house (allowed.images): excepted by "vendor" until {until}',)
    assert given.audit["house"].startswith('Enforce excepted by "vendor": allowed.images: spec.tasks[0]')
    assert [(each.rule, each.excepted_by) for each in given.policies] == [("allowed.images", "vendor")]


def test_a_policy_that_only_audits_stays_silent_when_it_is_excepted() -> None:
    given = judged(FOREIGN, policy(mode="Audit", **IMAGES, **ALLOWED), exception())
    assert (given.warnings, given.violations) == ((), ())
    assert given.audit["house"].startswith('Audit excepted by "x": ')


def test_an_exception_without_rules_is_about_every_rule_of_its_policy() -> None:
    other = policy("other", **IMAGES)
    house = policy(**IMAGES, required={"labels": ["team"]}, **ALLOWED)
    assert judged(FOREIGN, house, exception()).allowed
    given = judged(FOREIGN, house, other, exception())
    assert {each.message.rpartition("(")[2] for each in given.violations} == {'policy "other", allowed.images)'}


LABELLED = {"objectSelector": {"matchLabels": {"vendor": "yes"}}}
SELECTED: dict[str, tuple[Body, Body, bool]] = {
    "its kind": (exception(kinds=["Job"]), FOREIGN, True),
    "another kind": (exception(kinds=["JobFlow"]), FOREIGN, False),
    "its name": (exception(names=["other", "de*"]), FOREIGN, True),
    "another name": (exception(names=["dem"]), FOREIGN, False),
    "its label": (exception(**LABELLED), labelled(FOREIGN, vendor="yes"), True),
    "another label": (exception(**LABELLED), labelled(FOREIGN, vendor="no"), False),
    "no label": (exception(**LABELLED), FOREIGN, False),
    "a name that is not known yet": (
        exception(names=["*"]),
        {**FOREIGN, "metadata": {"generateName": "demo-", "namespace": "ns1"}},
        False,
    ),
}


@pytest.mark.parametrize("case", SELECTED)
def test_an_exception_is_about_the_objects_that_it_selects(case: str) -> None:
    given, manifest, allowed = SELECTED[case]
    assert judged(manifest, policy(**IMAGES, **ALLOWED), given).allowed is allowed


def test_a_template_in_a_schedule_is_selected_by_both_of_its_kinds() -> None:
    cron = body(kinds.CRONJOB, "nightly", {"schedule": "0 2 * * *", "jobTemplate": {"spec": FOREIGN["spec"]}})
    house = policy(**IMAGES, **ALLOWED)
    assert not judged(cron, house).allowed
    for kind in ("Job", "CronJob"):
        assert judged(cron, house, exception(kinds=[kind], names=["nightly"])).allowed
    assert not judged(cron, house, exception(kinds=["JobFlow"])).allowed


# --- attempts ---------------------------------------------------------------------------------------------------------

IN_TEAM_B = changed(exception(), namespace="team-b")
WITHOUT_EFFECT: dict[str, tuple[Body, Body, float | None, str]] = {
    # policy, exception, hours after its creation, what users are told
    "of another namespace": (policy(**IMAGES, **ALLOWED), IN_TEAM_B, 1, ""),
    "of another policy": (policy(**IMAGES, **ALLOWED), exception(policies=[{"name": "hous"}]), 1, ""),
    "about another rule": (policy(**IMAGES, **ALLOWED), exception("limits.maxSteps"), 1, ""),
    "about a rule that does not exist": (policy(**IMAGES, **ALLOWED), exception("allowed.*"), 1, ""),
    "expired": (policy(**IMAGES, **ALLOWED), exception(hours=2), 2, 'exception "x" expired at '),
    "at an unknown time": (policy(**IMAGES, **ALLOWED), exception(), None, ""),
    "edited after its creation": (
        policy(**IMAGES, **ALLOWED),
        changed(exception(), generation=2),
        1,
        'exception "x" was changed after its creation',
    ),
    "being deleted": (
        policy(**IMAGES, **ALLOWED),
        changed(exception(), deletionTimestamp=rfc3339(CREATED)),
        1,
        "is being deleted",
    ),
    "longer than the policy allows": (
        policy(**IMAGES, **ALLOWED),
        exception(hours=25),
        1,
        'policy "house" allows at most 24h0m0s from the creation',
    ),
    "longer than an edited policy allows": (
        policy(**IMAGES, exceptions={"allowedNamespaces": ["ns1"], "maxDuration": "23h59m59s"}),
        exception(),
        1,
        "allows at most 23h59m59s",
    ),
    "in a namespace that an edited policy does not allow": (
        policy(**IMAGES, exceptions={"allowedNamespaces": ["ns", "ns12", "team-*"], "maxDuration": "24h"}),
        exception(),
        1,
        'policy "house" allows no exceptions in namespace "ns1"',
    ),
    "to a policy that allows none": (policy(**IMAGES), exception(), 1, 'policy "house" allows no exceptions)'),
    "with a selector that would select everything by mistake": (
        policy(**IMAGES, **ALLOWED),
        exception(objectSelector={"matchLabel": {"vendor": "yes"}}),
        1,
        "",
    ),
    "with a time that cannot be read": (
        policy(**IMAGES, **ALLOWED),
        {**exception(), "spec": {**exception()["spec"], "expiresAt": "never"}},
        1,
        "",
    ),
    "without a spec": (policy(**IMAGES, **ALLOWED), {**exception(), "spec": None}, 1, ""),
}


@pytest.mark.parametrize("case", WITHOUT_EFFECT)
def test_an_exception_without_effect_does_not_allow_anything(case: str) -> None:
    house, given, hours, reported = WITHOUT_EFFECT[case]
    verdict = judged(FOREIGN, house, given, hours=hours)
    (violation,) = verdict.violations
    assert violation.path == "spec.tasks[0].template.spec.containers[0].image"
    assert reported in violation.message
    assert ('exception "' in violation.message) is bool(reported)


def test_an_exception_with_effect_counts_beside_one_without() -> None:
    expired = exception(name="a", hours=0.5)
    assert judged(FOREIGN, policy(**IMAGES, **ALLOWED), expired, exception(name="b")).allowed


def test_many_excepted_violations_do_not_displace_another_one() -> None:
    containers = [container(name=f"c{number}", image=f"evil.io/app:{number}") for number in range(150)]
    manifest = pods(containers=containers)
    house = policy(**IMAGES, required={"labels": ["team"]}, **ALLOWED)
    given = judged(manifest, house, exception("allowed.images"))
    assert [each.path for each in given.violations] == ["metadata.labels[team]"]
    first = policy(limits={"maxReplicas": 0}, **IMAGES, **ALLOWED)
    assert len(judged(manifest, first, exception("limits.maxReplicas")).violations) == 100


def test_an_excepted_policy_does_not_silence_a_milder_one_about_the_same_value() -> None:
    strict, mild = policy("house", **IMAGES, **ALLOWED), policy("mild", mode="Warn", **IMAGES)
    given = judged(FOREIGN, strict, mild, exception())
    assert given.allowed
    assert any(text.startswith("policy mild (allowed.images): ") for text in given.warnings)


def of_image(image: str) -> Body:
    """A JobTemplate, whose image can be changed."""
    return template(task(template=pod_template(containers=[container(image=image)])))


FOREIGN_TEMPLATE = of_image("evil.io/app:1")
UPDATES: dict[str, tuple[Body, Body, Body, float, bool]] = {
    # exception, the stored object, the update, hours, whether it is allowed
    "the label that selects it is removed": (
        exception(**LABELLED),
        labelled(FOREIGN_TEMPLATE, vendor="yes"),
        FOREIGN_TEMPLATE,
        1,
        False,
    ),
    "another label is added": (
        exception(**LABELLED),
        labelled(FOREIGN_TEMPLATE, vendor="yes"),
        labelled(FOREIGN_TEMPLATE, vendor="yes", a="b"),
        1,
        True,
    ),
    "the label that selects it is added with a new violation": (
        exception(**LABELLED),
        of_image("registry.corp/app:1"),
        labelled(FOREIGN_TEMPLATE, vendor="yes"),
        1,
        True,
    ),
    "a label is added after the end": (
        exception(**LABELLED),
        labelled(FOREIGN_TEMPLATE, vendor="yes"),
        labelled(FOREIGN_TEMPLATE, vendor="yes", a="b"),
        25,
        True,
    ),
    "the image is changed after the end": (
        exception(),
        FOREIGN_TEMPLATE,
        of_image("evil.io/app:2"),
        25,
        False,
    ),
}


@pytest.mark.parametrize("case", UPDATES)
def test_an_update_is_judged_by_the_state_after_it(case: str) -> None:
    given, old, new, hours, allowed = UPDATES[case]
    assert judged(new, policy(**IMAGES, **ALLOWED), given, old=old, hours=hours).allowed is allowed


def test_an_update_that_keeps_an_excepted_violation_is_not_warned_about() -> None:
    given = judged(labelled(FOREIGN, a="b"), policy(**IMAGES, **ALLOWED), exception(), old=FOREIGN)
    assert (given.allowed, given.warnings) == (True, ())


def test_an_exception_is_not_about_defaults_exemptions_or_faults_of_the_webhook_itself() -> None:
    broken = flow(step("a", "nowhere"))
    given = judged(broken, namespace(), policy(limits={"maxSteps": 0}, **ALLOWED), exception())
    assert [each.path for each in given.violations] == ["spec.flows[0].dependsOn.targets[0]"]


def test_a_job_of_a_flow_is_selected_by_its_own_name() -> None:
    of_flow = job(task(replicas=9), name="nightly-train")
    of_flow["metadata"]["ownerReferences"] = [{"kind": "JobFlow", "name": "nightly", "uid": "u", "controller": True}]
    house = policy(limits={"maxReplicas": 1}, **ALLOWED)
    assert not judged(of_flow, house, exception(names=["nightly"])).allowed
    assert judged(of_flow, house, exception(names=["nightly-*"])).allowed


STRICT: Body = {
    "limits": {"maxReplicas": 1, "maxRetry": 0},
    "allowed": {"images": ["registry.corp/*"], "queues": ["other"]},
    "denied": {"schedulerNames": ["volcano"]},
    "required": {"labels": ["team"], "imageDigests": True, "resourceRequests": ["cpu"]},
    "rules": [{"name": "never", "expression": "false"}],
}
BROKEN = {each.rule for each in judged(FOREIGN, policy(**STRICT)).policies}


@given(st.sets(st.sampled_from(sorted(BROKEN))), st.floats(0, 24), st.floats(0, 25), st.booleans())
def test_exceptions_take_away_exactly_the_rules_that_they_name_while_they_last(
    rules: set[str], lasts: float, now: float, other: bool
) -> None:
    """`other`: an exception that is about another object does not matter."""
    given_ = [exception(*sorted(rules), hours=lasts, policies=None if rules else [{"name": "none"}])]
    given_ += [exception(name="w", names=["another"])] if other else []
    verdict = judged(FOREIGN, policy(**STRICT, **ALLOWED), *given_, hours=now)
    active = rules if CREATED + now * HOUR < int(CREATED + lasts * HOUR) else set()
    assert {each.rule for each in verdict.policies} == BROKEN
    assert {each.rule for each in verdict.policies if each.counts} == BROKEN - active
    assert verdict.allowed is (active == BROKEN)


def test_an_exception_has_effect_on_an_object_that_does_not_match_the_schema() -> None:
    unreadable = {**FOREIGN, "spec": {**FOREIGN["spec"], "maxRetry": "many"}}
    house = policy(**IMAGES, **ALLOWED)
    image = "spec.tasks[0].template.spec.containers[0].image"
    assert [each.path for each in judged(unreadable, house).violations] == ["spec.maxRetry", image]
    assert [each.path for each in judged(unreadable, house, exception()).violations] == ["spec.maxRetry"]
