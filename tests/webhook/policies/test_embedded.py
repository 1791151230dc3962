"""Policies judge the Jobs and JobFlows inside CronJobs, CronJobFlows and JobFlowTemplates, and name their place."""

from typing import Any

import pytest

from shared import kinds
from shared.model.types import Body
from tests.webhook.make import body, defaulted, flow, job, known, step, task
from tests.webhook.policies.make import AROUND, created, found, judged, namespace, policy


def cron_job(of: Body, **labels: str) -> Body:
    template = {"metadata": {"labels": labels}, "spec": of["spec"]}
    return body(kinds.CRONJOB, "nightly", {"schedule": "@daily", "jobTemplate": template})


def cron_job_flow(of: Body, **labels: str) -> Body:
    template = {"metadata": {"labels": labels}, "spec": of["spec"]}
    return body(kinds.CRONJOBFLOW, "nightly", {"schedules": ["@daily"], "jobFlowTemplate": template})


def flow_template(of: Body) -> Body:
    return body(kinds.JOBFLOWTEMPLATE, "nightly", {"flow": of["spec"]})


BIG, CHAIN = job(task(replicas=50)), flow(step("a"), step("b", "a"))
UNQUEUED = {**job(), "spec": {"tasks": [task()]}}
PATCHED = flow(step("a", patch={"jobSpec": {"queue": "gold"}}))
SPARK = created("s", "sparkoperator.k8s.io/v1beta2", "SparkApplication")
JOB, INLINE, BARE = "spec.jobTemplate", "spec.jobFlowTemplate", "spec.flow"
PLACES: dict[str, tuple[Body, dict[str, Any], list[tuple[str, str]]]] = {
    "a limit of a Job": (
        cron_job(BIG),
        {"limits": {"maxReplicas": 10}},
        [("limits.maxReplicas", f"{JOB}.spec.tasks")],
    ),
    "a limit of a flow": (
        cron_job_flow(CHAIN),
        {"limits": {"maxSteps": 1}},
        [("limits.maxSteps", f"{INLINE}.spec.flows")],
    ),
    "a limit in a template": (
        flow_template(CHAIN),
        {"limits": {"maxSteps": 1}},
        [("limits.maxSteps", f"{BARE}.flows")],
    ),
    "a queue that is not allowed": (
        cron_job(job(queue="gold")),
        {"allowed": {"queues": ["silver"]}},
        [("allowed.queues", f"{JOB}.spec.queue")],
    ),
    "the queue that Jobs get when none is given": (
        cron_job(UNQUEUED),
        {"allowed": {"queues": ["silver"]}},
        [("allowed.queues", f"{JOB}.spec.queue")],
    ),
    "a denied queue in a patch of a step": (
        flow_template(PATCHED),
        {"denied": {"queues": ["gold"]}},
        [("denied.queues", f"{BARE}.flows[0].patch.jobSpec.queue")],
    ),
    "a kind in a flow that a step of a schedule's flow writes out": (
        cron_job_flow(flow(step("a", flow={"spec": {"flows": [SPARK]}}))),
        {"allowed": {"resourceKinds": ["batch/*"]}},
        [("allowed.resourceKinds", f"{INLINE}.spec.flows[0].flow.spec.flows[0].resource.manifest.kind")],
    ),
    "a kind that is denied in a template": (
        flow_template(flow(SPARK)),
        {"denied": {"resourceKinds": ["sparkoperator.k8s.io/*"]}},
        [("denied.resourceKinds", f"{BARE}.flows[0].resource.manifest.kind")],
    ),
    "a required label": (
        cron_job(job()),
        {"required": {"labels": ["team"]}},
        [("required.labels", f"{JOB}.metadata.labels[team]")],
    ),
    "a required label that is there": (cron_job(job(), team="a"), {"required": {"labels": ["team"]}}, []),
    "a required label of flows, which a template cannot give": (
        flow_template(CHAIN),
        {"required": {"labels": ["team"]}},
        [],
    ),
    "required requests": (
        cron_job(job()),
        {"required": {"resourceRequests": ["cpu"]}},
        [
            (
                "required.resourceRequests",
                f"{JOB}.spec.tasks[0].template.spec.containers[0].resources.requests[cpu]",
            )
        ],
    ),
    "a JobTemplate that does not exist": (
        cron_job_flow(flow(step("a", template="nowhere"))),
        {"required": {"existingTemplates": True}},
        [("required.existingTemplates", f"{INLINE}.spec.flows[0].template")],
    ),
    "a rule sees the Job as it will be created": (
        cron_job(UNQUEUED),
        {"rules": [{"name": "r", "expression": "object.spec.queue != 'default'"}]},
        [("rules.r", f"{JOB}.spec.queue")],
    ),
    "a rule about the kind": (
        cron_job(job()),
        {"rules": [{"name": "r", "expression": "object.kind != 'Job'"}]},
        [("rules.r", JOB)],
    ),
    "a rule about what holds": (
        cron_job_flow(CHAIN),
        {"rules": [{"name": "r", "expression": "object.spec.flows.size() == 2 && object.metadata.name == 'nightly'"}]},
        [],
    ),
}


@pytest.mark.parametrize(("given", "spec", "expected"), PLACES.values(), ids=PLACES)
def test_what_a_policy_finds_in_a_template(given: Body, spec: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(given, **spec) == expected


KINDS = {
    "no kinds": ([], True),
    "the kind that is created": (["Job"], True),
    "the kind that holds it": (["CronJob"], True),
    "other kinds": (["JobFlow", "CronJobFlow", "JobTemplate"], False),
}


@pytest.mark.parametrize(("listed", "applies"), KINDS.values(), ids=KINDS)
def test_which_policies_are_about_a_cron_job(listed: list[str], applies: bool) -> None:
    assert bool(found(cron_job(BIG), match={"kinds": listed}, limits={"maxReplicas": 10})) is applies


def test_a_policy_about_cron_jobs_only_leaves_other_jobs_alone() -> None:
    assert found(BIG, match={"kinds": ["CronJob"]}, limits={"maxReplicas": 10}) == []


def test_the_refusal_names_the_place_and_the_policy() -> None:
    verdict = judged(cron_job(BIG), *AROUND, policy(limits={"maxReplicas": 10}))

    assert [str(each) for each in verdict.violations] == [
        (
            "spec.jobTemplate.spec.tasks: Forbidden: 50 pods in total, a Job may have at most 10 "
            '(policy "house", limits.maxReplicas)'
        )
    ]


def test_an_update_is_refused_only_for_what_it_changes() -> None:
    house = policy(limits={"maxReplicas": 10})
    suspended = {**cron_job(BIG), "spec": {**cron_job(BIG)["spec"], "suspend": True}}
    bigger = cron_job(job(task(replicas=60)))

    assert judged(suspended, *AROUND, house, old=cron_job(BIG)).allowed
    assert not judged(bigger, *AROUND, house, old=cron_job(BIG)).allowed


DEFAULTS = {
    "queue": "research",
    "labels": {"team": "vision"},
    "activeDeadlineSeconds": 60,
    "nodeSelector": {"pool": "a"},
}


def test_defaults_are_set_in_the_template_of_a_cron_job() -> None:
    made = defaulted(cron_job(UNQUEUED), known(namespace(), policy(defaults=DEFAULTS)))["spec"]["jobTemplate"]

    assert made["metadata"] == {"labels": {"team": "vision"}}
    assert made["spec"]["queue"] == "research"
    assert made["spec"]["tasks"][0]["template"]["spec"]["nodeSelector"] == {"pool": "a"}
    assert "activeDeadlineSeconds" not in made["spec"]


def test_defaults_are_set_in_the_flow_of_a_template_and_of_a_schedule() -> None:
    house = policy(defaults=DEFAULTS)
    template = defaulted(flow_template(CHAIN), known(namespace(), house))
    schedule = defaulted(cron_job_flow(CHAIN), known(namespace(), house))["spec"]["jobFlowTemplate"]

    assert template["spec"]["flow"]["activeDeadlineSeconds"] == 60
    assert "labels" not in template["metadata"]
    assert (schedule["metadata"], schedule["spec"]["activeDeadlineSeconds"]) == ({"labels": {"team": "vision"}}, 60)


def test_a_schedule_that_names_a_template_holds_nothing_to_judge() -> None:
    given = body(kinds.CRONJOBFLOW, "nightly", {"schedules": ["@daily"], "template": {"name": "t"}})

    assert found(given, limits={"maxSteps": 0}) == []
    assert defaulted(given, known(namespace(), policy(defaults=DEFAULTS))) == given


def test_the_job_in_a_schedule_that_does_not_match_the_schema_is_judged_too() -> None:
    cron = cron_job(BIG)
    unreadable = {**cron, "spec": {**cron["spec"], "suspend": "later"}}
    violations = judged(unreadable, policy(limits={"maxReplicas": 10})).violations
    assert [each.path for each in violations] == ["spec.suspend", f"{JOB}.spec.tasks"]
