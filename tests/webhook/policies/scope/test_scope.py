"""To which requests policies apply: operations, users, times; and deletions, which some users may always do."""

from typing import Any

import msgspec
import pytest

from shared.model.types import Body
from shared.policy.compiled.check_scope import DELETABLE
from shared.timestamp import epoch_or_none
from tests.webhook.make import flow, job, known, review, step, template
from tests.webhook.policies.make import DENY, judged, labelled, namespace, policy
from webhook.envelope.review import AdmissionVerdict, Operation, RequestUser
from webhook.policies.deletions import GUARDED
from webhook.server.routes import ROUTES
from webhook.verdict.admit import mutate, validate
from webhook.verdict.kind_admission import DEFAULT_OPTIONS

CONTROLLER = "system:serviceaccount:jobflow-system:jobflow-controller"
RUNNING = {**flow(step("a")), "status": {"state": {"phase": "Running"}}}
GUARD = policy(
    match={"operations": ["DELETE"]},
    rules=[
        {
            "name": "not-running",
            "expression": "oldObject.?status.?state.?phase.orValue('') != 'Running'",
            "message": "stop it first",
        }
    ],
)


def deleted(stored: Body, *others: Body, user: str = "ann") -> AdmissionVerdict:
    asked = msgspec.structs.replace(
        review(stored), operation=Operation.DELETE, object=None, old_object=stored, user_info=RequestUser(user)
    )
    return validate(asked, known(*others), msgspec.structs.replace(DEFAULT_OPTIONS, controller_user=CONTROLLER))


def test_the_deletion_of_a_running_flow_is_refused() -> None:
    refused = deleted(RUNNING, GUARD, namespace())
    assert [str(each) for each in refused.violations] == [
        'spec: Forbidden: stop it first (policy "house", rules.not-running)'
    ]
    assert deleted(flow(step("a")), GUARD, namespace()).allowed
    assert judged(RUNNING, GUARD).allowed, "a creation is no deletion"


ALWAYS_DELETED: dict[str, tuple[Body, tuple[Body, ...], str]] = {
    "by the garbage collector": (RUNNING, (), "system:serviceaccount:kube-system:generic-garbage-collector"),
    "by the namespace controller": (RUNNING, (), "system:serviceaccount:kube-system:namespace-controller"),
    "by one process for both": (RUNNING, (), "system:kube-controller-manager"),
    "by our controller": (RUNNING, (), CONTROLLER),
    "in a namespace that is being deleted": (
        RUNNING,
        ({**namespace(), "status": {"phase": "Terminating"}},),
        "ann",
    ),
    "once more": (
        {**RUNNING, "metadata": {**RUNNING["metadata"], "deletionTimestamp": "2026-01-02T03:04:05Z"}},
        (),
        "ann",
    ),
}


@pytest.mark.parametrize(("stored", "others", "user"), ALWAYS_DELETED.values(), ids=ALWAYS_DELETED)
def test_some_deletions_are_never_refused(stored: Body, others: tuple[Body, ...], user: str) -> None:
    assert deleted(stored, GUARD, *others, user=user).allowed


def test_rules_about_deletions_see_the_user_and_the_labels() -> None:
    kept = policy(
        match={"operations": ["DELETE"], "objectSelector": {"matchLabels": {"keep": "yes"}}},
        rules=[{"name": "keep", "expression": "object == null && request.operation == 'DELETE' && false"}],
    )
    assert deleted(template(), kept).allowed
    assert not deleted(labelled(template(), keep="yes"), kept).allowed
    assert not deleted(labelled(template(), keep="yes"), policy(match={"operations": ["DELETE"]}, **DENY)).allowed


def test_limits_do_not_refuse_deletions() -> None:
    both = policy(
        match={"operations": ["CREATE", "DELETE"]}, limits={"maxSteps": 0}, rules=[{"name": "r", "expression": "true"}]
    )
    assert deleted(RUNNING, both).allowed
    assert not judged(flow(step("a")), both).allowed


def test_a_policy_judges_only_its_operations() -> None:
    old, new = job(minAvailable=1), job(minAvailable=1, maxRetry=9)
    creations = policy(match={"operations": ["CREATE"]}, **DENY)
    updates = policy(match={"operations": ["UPDATE"]}, **DENY)
    assert not judged(new, creations).allowed
    assert judged(new, updates).allowed
    longer, short = flow(step("a"), step("b")), flow(step("a"))
    assert judged(longer, creations, old=short).allowed
    assert not judged(longer, updates, old=short).allowed
    assert old != new


# users, whom it matches, whom not
USERS: dict[str, tuple[dict[str, Any], tuple[str, tuple[str, ...]], tuple[str, tuple[str, ...]]]] = {
    "names": ({"names": ["ann", "ci-*"]}, ("ci-7", ()), ("bob", ())),
    "groups": ({"groups": ["team:*"]}, ("bob", ("x", "team:vision")), ("bob", ("x",))),
    "service accounts": (
        {"serviceAccounts": ["ci/*"]},
        ("system:serviceaccount:ci:runner", ()),
        ("system:serviceaccount:prod:runner", ()),
    ),
    "a name that looks like an account": (
        {"serviceAccounts": ["ci/runner"]},
        ("system:serviceaccount:ci:runner", ()),
        ("ci/runner", ()),
    ),
}


@pytest.mark.parametrize(("users", "one", "other"), USERS.values(), ids=USERS)
def test_a_policy_about_users_judges_no_others(
    users: dict[str, Any], one: tuple[str, tuple[str, ...]], other: tuple[str, tuple[str, ...]]
) -> None:
    about = policy(match={"users": users}, **DENY)
    assert not judged(job(), about, user=one[0], groups=one[1]).allowed
    assert judged(job(), about, user=other[0], groups=other[1]).allowed
    assert judged(job(), about).allowed, "a user without a name"


def test_a_freeze_refuses_only_while_it_lasts() -> None:
    freeze = policy(validity={"windows": [{"schedule": "0 18 * * FRI", "duration": "62h"}]}, **DENY)

    def allowed(now: str) -> bool:
        options = msgspec.structs.replace(DEFAULT_OPTIONS, now=epoch_or_none(now))
        return validate(review(job()), known(freeze), options).allowed

    assert allowed("2026-11-27T17:59:00Z")
    assert not allowed("2026-11-28T12:00:00Z")
    assert allowed("2026-11-30T08:00:00Z")


def test_defaults_are_set_only_while_a_policy_is_in_force() -> None:
    nightly = policy(validity={"until": "2026-12-01T00:00:00Z"}, defaults={"labels": {"night": "yes"}})

    def patched(now: str) -> bool:
        options = msgspec.structs.replace(DEFAULT_OPTIONS, now=epoch_or_none(now))
        return "night" in str(mutate(review(job()), known(nightly), options).patch)

    assert patched("2026-11-30T00:00:00Z")
    assert not patched("2026-12-01T00:00:00Z")


def test_labels_must_have_one_of_the_values() -> None:
    wanted = policy(required={"labelValues": {"cost-centre": ["cc-????", "shared"]}})
    reported = {
        value: judged(labelled(job(), **({"cost-centre": value} if value else {})), wanted)
        for value in ("cc-1234", "shared", "cc-1", "")
    }
    assert [each.allowed for each in reported.values()] == [True, True, False, False]
    assert "allowed: cc-????, shared" in str(reported["cc-1"].violations[0])
    assert "this label must be set" in str(reported[""].violations[0])


def test_a_webhook_is_registered_for_the_deletions_that_policies_judge() -> None:
    deleted = {route.kind for route in ROUTES if "DELETE" in route.operations}
    assert deleted.issuperset(GUARDED)
    assert {kind.kind for kind in GUARDED} == {str(kind) for kind in DELETABLE}
