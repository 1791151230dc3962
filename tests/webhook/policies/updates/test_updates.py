"""Updates are judged by what they change: new violations and changed values count, old violations left alone do not."""

from typing import Any

import pytest

from shared.model.types import Body
from tests.webhook.make import flow, job, step, task
from tests.webhook.policies.make import container, judged, labelled, namespace, pods, policy

TEAM = {"required": {"labels": ["team"]}}
RULE = {"rules": [{"name": "r", "expression": "object.spec.?queue.orValue('') == 'good'"}]}
BY_LABEL = {"rules": [{"name": "r", "expression": "object.metadata.?labels.?team.orValue('') != ''"}]}
KEPT_LABEL = {
    "rules": [
        {
            "name": "r",
            "expression": "oldObject == null || object.metadata.?labels.?team == oldObject.metadata.?labels.?team",
        }
    ]
}
BY_USER = {"rules": [{"name": "r", "expression": "request.userInfo.username == 'ann'"}]}
IMAGES = {"allowed": {"images": ["registry.corp/*"]}}


def images(*names: str) -> Body:
    return pods(containers=[container(name=name.partition("/")[2], image=name) for name in names])


def with_metadata(manifest: Body, **more: Any) -> Body:
    return {**manifest, "metadata": {**manifest["metadata"], **more}}


SLOW = flow(step("a"), step("b"), step("c"))
LABEL_IN_MESSAGE = "'too many steps for team ' + object.metadata.labels.team"
UPDATES: dict[str, tuple[dict[str, Any], Body, Body, bool]] = {
    # policy, the stored object, the update, whether it is allowed
    "a required label is removed": (TEAM, labelled(job(), team="a"), labelled(job()), False),
    "a required label is emptied": (TEAM, labelled(job(), team="a"), labelled(job(), team=""), False),
    "another label is set where the required one is missing": (TEAM, job(), labelled(job(), other="x"), True),
    "the spec changes where a label is missing": (TEAM, job(minAvailable=1), job(minAvailable=2), True),
    "a rule over labels is newly violated": (BY_LABEL, labelled(job(), team="a"), labelled(job(), other="x"), False),
    "a rule over labels stays violated": (BY_LABEL, job(), labelled(job(), other="x"), True),
    "a rule compares old and new labels": (KEPT_LABEL, labelled(job(), team="a"), labelled(job(), team="b"), False),
    "a rule compares equal labels": (KEPT_LABEL, labelled(job(), team="a"), labelled(job(), team="a", x="y"), True),
    "a rule stays violated by the same value": (RULE, job(queue="bad"), labelled(job(queue="bad"), a="b"), True),
    "a rule stays violated by another value": (RULE, job(queue="bad"), job(queue="worse"), False),
    "a rule is satisfied by the update": (RULE, job(queue="bad"), job(queue="good"), True),
    "a rule about users and a label": (BY_USER, job(), labelled(job(), a="b"), False),
    "a rule about users and a finalizer": (BY_USER, job(), with_metadata(job(), finalizers=["a/b"]), True),
    "too many steps and another field": (
        {"limits": {"maxSteps": 2}},
        SLOW,
        {**SLOW, "spec": {**SLOW["spec"], "failureStrategy": "Continue"}},
        True,
    ),
    "even more steps": ({"limits": {"maxSteps": 2}}, SLOW, flow(step("a"), step("b"), step("c"), step("d")), False),
    "fewer steps, still too many": (
        {"limits": {"maxSteps": 1}},
        SLOW,
        flow(step("a"), step("b")),
        False,
    ),
    "the same image": (IMAGES, images("evil.io/a"), labelled(images("evil.io/a"), a="b"), True),
    "another image": (IMAGES, images("evil.io/a"), images("evil.io/b"), False),
    "a second container with the same image": (
        IMAGES,
        pods(containers=[container(image="evil.io/a")]),
        pods(containers=[container(image="evil.io/a"), container(name="b", image="evil.io/a")]),
        False,
    ),
    "a container with an allowed image before it": (
        IMAGES,
        images("evil.io/a"),
        images("registry.corp/z", "evil.io/a"),
        True,
    ),
    "a label that makes the policy apply": (
        {**TEAM, **RULE, "match": {"objectSelector": {"matchLabels": {"env": "prod"}}}},
        job(queue="bad"),
        labelled(job(queue="bad"), env="prod", team="a"),
        False,
    ),
    "a label that only the message of a violated rule reads": (
        {
            "rules": [
                {"name": "few", "expression": "size(object.spec.flows) < 1", "messageExpression": LABEL_IN_MESSAGE}
            ]
        },
        labelled(flow(step("a")), team="a"),
        labelled(flow(step("a")), team="b"),
        True,
    ),
    "a suspended flow loses its label": (
        TEAM,
        labelled(flow(step("a"), suspend=True), team="a"),
        labelled(flow(step("a"), suspend=True)),
        False,
    ),
    "a flow is suspended and loses its label": (
        TEAM,
        labelled(flow(step("a")), team="a"),
        labelled(flow(step("a"), suspend=True)),
        False,
    ),
    "an object that is being deleted": (
        TEAM,
        labelled(job(), team="a"),
        with_metadata(job(), deletionTimestamp="2026-01-02T03:04:05Z"),
        True,
    ),
}


@pytest.mark.parametrize(("spec", "old", "new", "allowed"), UPDATES.values(), ids=UPDATES)
def test_an_update_is_judged_by_what_it_changes(spec: dict[str, Any], old: Body, new: Body, allowed: bool) -> None:
    verdict = judged(new, namespace(), policy(**spec), old=old)
    policies = [violation for violation in verdict.violations if "(policy" in violation.message]
    assert (not policies) is allowed


def test_warnings_are_given_for_changes_only() -> None:
    old = job(task(), queue="bad")
    warned = policy(mode="Warn", **RULE)
    assert not judged(labelled(old, a="b"), warned, old=old).policies
    assert judged(job(task(), queue="worse"), warned, old=old).policies
