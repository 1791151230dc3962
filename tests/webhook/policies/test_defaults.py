"""What policies set, and what updates keep."""

import copy
from typing import Any

import pytest

from shared import kinds
from shared.model.types import Body
from tests.webhook.make import body, defaulted, flow, job, known, review, step, task, template
from tests.webhook.policies.make import (
    TOLERATIONS,
    judged,
    labelled,
    namespace,
    pods,
    policy,
)
from webhook.envelope.patch import applied
from webhook.verdict.admit import mutate
from webhook.verdict.kind_admission import AdmissionOptions

BARE_JOB = {**job(), "spec": {"tasks": [task()]}}
SET: dict[str, tuple[dict[str, Any], Body, Body, tuple[str | int, ...], Any]] = {
    # field: defaults, absent there, present there, path, value that is set
    "queue": ({"queue": "research"}, BARE_JOB, job(queue="q1"), ("spec", "queue"), "research"),
    "schedulerName": (
        {"schedulerName": "mine"},
        BARE_JOB,
        job(schedulerName="volcano"),
        ("spec", "schedulerName"),
        "mine",
    ),
    "priorityClassName": (
        {"priorityClassName": "low"},
        BARE_JOB,
        job(priorityClassName="high"),
        ("spec", "priorityClassName"),
        "low",
    ),
    "jobRetainPolicy": (
        {"jobRetainPolicy": "delete"},
        flow(step("a")),
        flow(step("a"), jobRetainPolicy="retain"),
        ("spec", "jobRetainPolicy"),
        "delete",
    ),
    "ttlSecondsAfterFinished": (
        {"ttlSecondsAfterFinished": 0},
        BARE_JOB,
        job(ttlSecondsAfterFinished=7),
        ("spec", "ttlSecondsAfterFinished"),
        0,
    ),
    "activeDeadlineSeconds": (
        {"activeDeadlineSeconds": 60},
        flow(step("a")),
        flow(step("a"), activeDeadlineSeconds=7),
        ("spec", "activeDeadlineSeconds"),
        60,
    ),
    "labels": (
        {"labels": {"team": "a"}},
        flow(step("a")),
        labelled(flow(step("a")), team="b"),
        ("metadata", "labels", "team"),
        "a",
    ),
    "nodeSelector": (
        {"nodeSelector": {"disk": "ssd"}},
        pods(nodeSelector={"zone": "z"}),
        pods(nodeSelector={"disk": "hdd"}),
        ("spec", "tasks", 0, "template", "spec", "nodeSelector", "disk"),
        "ssd",
    ),
    "tolerations": (
        {"tolerations": TOLERATIONS},
        BARE_JOB,
        pods(tolerations=[{"key": "x", "operator": "Exists"}]),
        ("spec", "tasks", 0, "template", "spec", "tolerations"),
        TOLERATIONS,
    ),
    "a template's queue": ({"queue": "research"}, template(), template(queue="q1"), ("spec", "queue"), "research"),
}


def at(manifest: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        manifest = manifest[part]
    return manifest


@pytest.mark.parametrize("mode", ["Enforce", "Warn"])
@pytest.mark.parametrize("field", SET)
def test_a_default_is_set_only_if_the_field_is_absent(field: str, mode: str) -> None:
    wanted, absent, present, path, value = SET[field]
    around = known(policy(mode=mode, defaults=wanted))
    once = defaulted(absent, around)
    assert at(once, path) == value
    assert defaulted(once, around) == once, "running twice changes nothing"
    assert at(defaulted(present, around), path) == at(present, path)


@pytest.mark.parametrize("field", SET)
def test_a_policy_in_audit_mode_sets_no_defaults(field: str) -> None:
    wanted, absent, _, _, _ = SET[field]
    assert defaulted(absent, known(policy(mode="Audit", defaults=wanted))) == defaulted(absent)


def test_the_first_policy_by_name_sets_a_field() -> None:
    policies = [
        policy("b", defaults={"queue": "second", "priorityClassName": "low"}),
        policy("a", defaults={"queue": "first", "labels": {"team": "a"}}),
    ]
    made = defaulted(BARE_JOB, known(*policies))
    assert (made["spec"]["queue"], made["spec"]["priorityClassName"]) == ("first", "low")
    assert made["metadata"]["labels"] == {"team": "a"}


def test_defaults_obey_match_and_exempt() -> None:
    research = {"defaults": {"queue": "research"}}
    assert defaulted(BARE_JOB, known(policy(match={"kinds": ["JobFlow"]}, **research)))["spec"]["queue"] == "default"
    assert defaulted(BARE_JOB, known(policy(exempt={"namespaces": ["ns1"]}, **research)))["spec"]["queue"] == "default"
    team = {"namespaceSelector": {"matchLabels": {"team": "vision"}}}
    made = defaulted(BARE_JOB, known(policy(match=team, **research), namespace(team="vision")))
    assert made["spec"]["queue"] == "research"


def test_jobs_of_a_flow_and_templates_get_no_time_to_live() -> None:
    around = known(policy(defaults={"ttlSecondsAfterFinished": 5}))
    owned = {**BARE_JOB, "metadata": {**BARE_JOB["metadata"], "ownerReferences": [{"kind": "JobFlow"}]}}
    assert "ttlSecondsAfterFinished" not in defaulted(owned, around)["spec"]
    assert "ttlSecondsAfterFinished" not in defaulted(template(), around)["spec"]
    assert defaulted(flow(step("a")), around)["spec"]["ttlSecondsAfterFinished"] == 5


def test_defaulted_retries_are_lowered_to_the_limit() -> None:
    strict = policy(limits={"maxRetry": 1})
    made = defaulted(BARE_JOB, known(strict))
    assert (made["spec"]["maxRetry"], made["spec"]["tasks"][0]["maxRetry"]) == (1, 1)
    assert judged(made, strict).allowed


def test_a_queue_defaulted_by_volcanos_crd_counts_as_absent() -> None:
    around = known(policy(defaults={"queue": "research"}))
    manifest = job(queue="default")

    def queue_of(options: AdmissionOptions) -> str:
        made = applied(manifest, mutate(review(manifest), around, options).patch)
        return str(made["spec"]["queue"])

    assert queue_of(AdmissionOptions()) == "default"
    assert queue_of(AdmissionOptions(volcano_crds=True)) == "research"
    manifest = job(queue="q1")
    assert queue_of(AdmissionOptions(volcano_crds=True)) == "q1"


def test_an_update_sets_no_new_defaults_but_restores_immutable_job_fields() -> None:
    around = known(policy(defaults={"queue": "research", "priorityClassName": "low", "tolerations": TOLERATIONS}))
    stored = defaulted(BARE_JOB, around)
    again = {**BARE_JOB, "spec": {**BARE_JOB["spec"], "minAvailable": 1}}
    made = applied(again, mutate(review(again, stored), around).patch)
    assert (made["spec"]["queue"], "priorityClassName" in made["spec"]) == ("research", False)
    assert judged(made, old=stored).allowed
    before = copy.deepcopy(stored)
    del before["spec"]["tasks"][0]["template"]["spec"]["tolerations"]
    made = applied(again, mutate(review(again, before), around).patch)
    assert "tolerations" not in made["spec"]["tasks"][0]["template"]["spec"]
    flows = known(policy(defaults={"activeDeadlineSeconds": 5}))
    assert mutate(review(flow(step("a"), parallelism=1), flow(step("a"))), flows).patch == ()


@pytest.mark.parametrize("since", ["gone", "changed", "Audit"])
def test_an_update_keeps_job_fields_set_by_a_policy_that_changed_or_is_gone(since: str) -> None:
    given = {"queue": "research", "ttlSecondsAfterFinished": 60, "tolerations": TOLERATIONS}
    given["nodeSelector"] = {"pool": "batch", "example.com/zone": "a"}
    stored = defaulted(BARE_JOB, known(policy(defaults=given)))
    assert stored["metadata"]["annotations"]["policy.jobflow.dev/defaulted"] == (
        "queue,ttlSecondsAfterFinished,nodeSelector[pool],nodeSelector[example.com/zone],tolerations"
    )
    around = {
        "gone": known(),
        "changed": known(policy(defaults={"queue": "other", "nodeSelector": {"pool": "new", "disk": "ssd"}})),
        "Audit": known(policy(mode="Audit", defaults=given)),
    }[since]
    again = {**BARE_JOB, "spec": {**BARE_JOB["spec"], "minAvailable": 1}}
    made = applied(again, mutate(review(again, stored), around).patch)
    assert judged(made, old=stored).allowed
    assert made["spec"]["tasks"][0]["template"] == stored["spec"]["tasks"][0]["template"]
    marks = [each["metadata"]["annotations"]["policy.jobflow.dev/defaulted"] for each in (made, stored)]
    assert marks[0] == marks[1]


def test_fields_set_by_the_user_are_not_restored() -> None:
    own = copy.deepcopy(BARE_JOB)
    own["spec"]["ttlSecondsAfterFinished"] = 5
    stored = defaulted(own, known(policy(defaults={"ttlSecondsAfterFinished": 60, "queue": "research"})))
    made = applied(BARE_JOB, mutate(review(BARE_JOB, stored), known()).patch)
    assert (made["spec"]["queue"], "ttlSecondsAfterFinished" in made["spec"]) == ("research", False)
    assert not judged(made, old=stored).allowed


@pytest.mark.parametrize("labels", ["text", 5, []])
def test_labels_of_a_template_that_are_no_map_are_left_to_the_schema(labels: Any) -> None:
    """The webhook is asked before the API server compares the object with the schema."""
    template_ = {"metadata": {"labels": labels}, "spec": {"flows": [step("a")]}}
    odd = body(kinds.CRONJOBFLOW, "x", {"schedules": ["0 1 * * *"], "jobFlowTemplate": template_})
    house = policy("house", defaults={"labels": {"team": "x"}})
    assert applied(odd, mutate(review(odd), known(house, namespace())).patch) == odd
    assert not judged(odd, house, namespace()).allowed
