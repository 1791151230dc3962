"""JobFlowPolicyExceptions under admission."""

import msgspec
import pytest

from shared import kinds
from shared.model.types import Body
from tests.webhook.make import known, review
from tests.webhook.policies.make import policy
from tests.webhook.policies.test_exceptions import ALLOWED, CREATED, HOUR, IMAGES, changed, exception
from webhook.subject.lookups import MissingObject, OfflineLookups
from webhook.verdict.admit import validate
from webhook.verdict.kind_admission import AdmissionOptions
from webhook.verdict.missing import missing_objects

HOUSE = policy(**IMAGES, limits={"maxRetry": 0}, **ALLOWED)
NOW = AdmissionOptions(now=CREATED + 1)


def faults(new: Body, *others: Body, old: Body | None = None) -> list[str]:
    return [str(each) for each in validate(review(new, old), known(*(others or (HOUSE,))), NOW).violations]


def spec(**given: object) -> Body:
    made = exception("allowed.images")
    return {**made, "spec": {**made["spec"], **given}}


def test_an_exception_that_its_policy_allows_is_admitted() -> None:
    assert faults(exception("allowed.images", "limits.maxRetry", kinds=["Job"], names=["nightly-*"])) == []
    assert faults(changed(exception(), namespace="team-b")) == []


REFUSED: dict[str, tuple[Body, str]] = {
    "no such policy": (
        spec(policies=[{"name": "hose"}]),
        'spec.policies[0].name: Not found: "hose": no such JobFlowPolicy',
    ),
    "no such rule": (
        exception("allowed.image"),
        'spec.policies[0].rules[0]: Not found: "allowed.image": policy "house" has no such rule; did you mean "allowed',
    ),
    "no rule like it": (
        exception("x"),
        'spec.policies[0].rules[0]: Not found: "x": policy "house" has no such rule; rules: limits.maxRetry, allowed.images',
    ),
    "a wildcard of rules": (
        exception("*"),
        'spec.policies[0].rules[0]: Not found: "*": policy "house" has no such rule',
    ),
    "another namespace": (
        changed(exception(), namespace="ns2"),
        'spec.policies[0].name: Forbidden: policy "house" allows no exceptions in namespace "ns2"',
    ),
    "too long": (exception(hours=24.1), 'spec.expiresAt: Forbidden: policy "house" allows at most 24h0m0s'),
    "in the past": (exception(hours=0), "spec.expiresAt: Invalid value: "),
    "a date": (spec(expiresAt="2026-01-01"), 'spec.expiresAt: Invalid value: "2026-01-01": must be an RFC 3339 time'),
    "not a time": (spec(expiresAt="tomorrow"), 'spec.expiresAt: Invalid value: "tomorrow": must be an RFC 3339 time'),
    "a pattern with brackets": (exception(names=["a", "[b]"]), "spec.match.names[1]: Invalid value: "),
    "a selector's slip": (
        exception(objectSelector={"matchLabel": {"a": "b"}}),
        "spec.match.objectSelector.matchLabel: Forbidden: unknown field",
    ),
    "a selector's operator": (
        exception(objectSelector={"matchExpressions": [{"key": "a", "operator": "Is"}]}),
        "spec.match.objectSelector.matchExpressions[0].operator: ",
    ),
    "a kind that policies are not about": (exception(kinds=["Pod"]), "spec.match.kinds[0]: "),
    "no reason": (spec(reason=""), "spec.reason: "),
    "no policies": (spec(policies=[]), "spec.policies: "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_exception_that_could_not_work_is_refused(case: str) -> None:
    given, words = REFUSED[case]
    (fault,) = faults(given)
    assert fault.startswith(words)


def test_all_faults_are_named_at_once() -> None:
    given = spec(policies=[{"name": "a"}, {"name": "house", "rules": ["x", "allowed.images"]}], expiresAt="soon")
    assert [text.partition(": ")[0] for text in faults(given)] == [
        "spec.expiresAt",
        "spec.policies[0].name",
        "spec.policies[1].rules[0]",
    ]


def test_a_policy_that_allows_none_and_an_invalid_one_are_named() -> None:
    (fault,) = faults(exception(), policy(**IMAGES))
    assert fault == 'spec.policies[0].name: Forbidden: policy "house" allows no exceptions'
    (fault,) = faults(exception(), policy(rules=[{"name": "r", "expression": "object."}]))
    assert fault.startswith('spec.policies[0].name: Forbidden: policy "house" is invalid')


CHANGES: dict[str, Body] = {
    "its end": spec(expiresAt="2026-10-01T00:00:00Z"),
    "its rules": exception("limits.maxRetry"),
    "its objects": exception("allowed.images", names=["*"]),
    "its reason": spec(reason="another"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_stored_exception_cannot_be_changed(case: str) -> None:
    old = exception("allowed.images")
    assert faults(CHANGES[case], old=old) == ["spec: Forbidden: may not be changed; create another exception"]


def test_labels_of_a_stored_exception_can_be_changed_whatever_became_of_its_policy() -> None:
    old = exception("allowed.images")
    assert faults(changed(old, labels={"a": "b"}), policy(), old=old) == []


def test_a_policy_that_is_not_in_the_cache_is_read_before_the_refusal() -> None:
    assert missing_objects(review(exception()), known()) == (MissingObject(kinds.JOBFLOWPOLICY, "", "house"),)


def test_without_a_cluster_unknown_policies_are_no_faults() -> None:
    assert validate(review(exception("x")), OfflineLookups(), NOW).allowed
    assert not validate(review(exception(names=["[a]"])), OfflineLookups(), NOW).allowed


def test_the_time_of_creation_that_the_api_server_sets_counts() -> None:
    fresh = msgspec.structs.replace(NOW, now=CREATED + 3 * HOUR)
    given = exception(hours=26)
    del given["metadata"]["creationTimestamp"]
    assert validate(review(given), known(HOUSE), fresh).allowed
    assert not validate(review(exception(hours=26)), known(HOUSE), fresh).allowed
