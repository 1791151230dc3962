"""Policies on schedules and flow templates: refused with the place, warned, defaulted in what they create, renewed later."""

import contextlib
from collections.abc import Iterator
from typing import Any

import yaml

from local.client.blocking import until
from local.client.rest import RestError
from shared.kinds import CRONJOB, CRONJOBFLOW, JOB, JOBFLOWPOLICY, JOBFLOWTEMPLATE, Kind
from shared.model.types import Body
from tests.e2e.schedules.test_schedules import children, cron_job, cron_job_flow, status
from tests.e2e.support.policies import here, known_to_the_webhook, policy
from tests.e2e.support.scenario import Scenario, jobflow

RUN = 60.0


@contextlib.contextmanager
def policed(scenario: Scenario, name: str, **spec: Any) -> Iterator[str]:
    """A policy for the namespace of the scenario, known to the webhook; gone afterwards."""
    whole = f"{scenario.namespace}-{name}"
    match = {**spec.pop("match", {}), "namespaceSelector": here(scenario)}
    scenario.cluster.kubectl.apply(policy(whole, match=match, **spec))
    known_to_the_webhook(scenario, whole)
    try:
        yield whole
    finally:
        scenario.kube.delete(JOBFLOWPOLICY, "", whole)


def flow_template(scenario: Scenario, name: str, *steps: str) -> Body:
    return {
        "apiVersion": JOBFLOWTEMPLATE.api_version,
        "kind": "JobFlowTemplate",
        "metadata": {"name": name, "namespace": scenario.namespace},
        "spec": {"flow": jobflow(scenario.namespace, name, dict.fromkeys(steps, ()))["spec"]},
    }


def inline(scenario: Scenario, name: str, *steps: str) -> Body:
    body = cron_job_flow(scenario.namespace, name)
    spec = flow_template(scenario, name, *steps)["spec"]["flow"]
    return {**body, "spec": {"schedules": body["spec"]["schedules"], "jobFlowTemplate": {"spec": spec}}}


def ready(scenario: Scenario, kind: Kind, name: str) -> Body:
    conditions = status(scenario, kind, name).get("conditions", ())
    return next((each for each in conditions if each["type"] == "Ready"), {})


def test_what_a_schedule_or_template_contains_is_refused_at_its_place(scenario: Scenario) -> None:
    with policed(scenario, "small", limits={"maxSteps": 1, "maxReplicas": 2}):
        big = cron_job(scenario.namespace, "big")
        big["spec"]["jobTemplate"]["spec"]["tasks"][0]["replicas"] = 3
        refused = {
            "spec.jobTemplate.spec.tasks": big,
            "spec.jobFlowTemplate.spec.flows": inline(scenario, "long", "a", "b"),
            "spec.flow.flows": flow_template(scenario, "long", "a", "b"),
        }
        for place, body in refused.items():
            reported = scenario.cluster.kubectl.refusal(body)
            assert place in reported
            assert f"{scenario.namespace}-small" in reported


def test_a_time_that_the_schema_refuses_does_not_hide_other_faults(scenario: Scenario) -> None:
    """The API server judges formats of the schema before it calls validating webhooks."""
    body = cron_job_flow(scenario.namespace, "never", endTime="2030-01-01", schedules=["61 * * * *"])
    reported = scenario.cluster.kubectl.refusal(body)
    assert 'spec.endTime: Invalid value: "2030-01-01": must be an RFC 3339 time' in reported
    assert "spec.schedules[0]" in reported


def test_a_warning_names_the_place_and_the_schedule_is_created(scenario: Scenario) -> None:
    with policed(scenario, "images", mode="Warn", allowed={"images": ["registry.corp/*"]}) as name:
        body = cron_job(scenario.namespace, "warned", suspend=True)
        done = scenario.cluster.kubectl("apply", "-f", "-", stdin=str(yaml.safe_dump(body)))
        assert f"Warning: policy {name} (allowed.images): spec.jobTemplate.spec.tasks[0]" in done.stderr
        assert scenario.kube.get(CRONJOB, scenario.namespace, "warned")["spec"]["suspend"] is True


def test_jobs_of_a_schedule_get_the_defaults_of_policies(scenario: Scenario) -> None:
    with policed(scenario, "labels", match={"kinds": ["Job"]}, defaults={"labels": {"team": "vision"}}):
        scenario.cluster.kubectl.apply(cron_job(scenario.namespace, "labelled"))
        until(lambda: children(scenario, JOB, "labelled"), RUN, lambda: f"{status(scenario, CRONJOB, 'labelled')}")
        (job, *_) = children(scenario, JOB, "labelled")
        assert job["metadata"]["labels"]["team"] == "vision"
        assert "labels" not in scenario.kube.get(CRONJOB, scenario.namespace, "labelled")["metadata"]
        scenario.kube.delete(CRONJOB, scenario.namespace, "labelled")


def test_a_policy_made_later_stops_a_schedule_and_its_end_releases_it(scenario: Scenario) -> None:
    scenario.cluster.kubectl.apply(cron_job(scenario.namespace, "stopped", suspend=True))
    with policed(scenario, "images", allowed={"images": ["registry.corp/*"]}) as name:
        scenario.kube.patch(CRONJOB, scenario.namespace, "stopped", {"spec": {"suspend": False}})

        def refused() -> bool:
            found = ready(scenario, CRONJOB, "stopped")
            return found.get("status") == "False" and name in found["message"]

        until(refused, RUN, lambda: f"{status(scenario, CRONJOB, 'stopped')}")
        assert ready(scenario, CRONJOB, "stopped")["reason"] == "FailedCreate"
        assert children(scenario, JOB, "stopped") == []
    until(lambda: children(scenario, JOB, "stopped"), RUN, lambda: f"{status(scenario, CRONJOB, 'stopped')}")
    until(lambda: ready(scenario, CRONJOB, "stopped").get("status") == "True", RUN, lambda: "not ready again")
    scenario.kube.delete(CRONJOB, scenario.namespace, "stopped")


def test_an_update_that_leaves_an_old_violation_alone_passes_and_a_new_one_does_not(scenario: Scenario) -> None:
    scenario.cluster.kubectl.apply(inline(scenario, "old", "a", "b"))
    scenario.kube.patch(CRONJOBFLOW, scenario.namespace, "old", {"spec": {"suspend": True}})
    with policed(scenario, "small", limits={"maxSteps": 1}):
        changed = scenario.kube.patch(CRONJOBFLOW, scenario.namespace, "old", {"spec": {"startingDeadlineSeconds": 60}})
        assert changed["spec"]["startingDeadlineSeconds"] == 60
        longer = inline(scenario, "old", "a", "b", "c")["spec"]["jobFlowTemplate"]
        try:
            scenario.kube.patch(CRONJOBFLOW, scenario.namespace, "old", {"spec": {"jobFlowTemplate": longer}})
            reported = ""
        except RestError as error:
            reported = error.message
        assert "spec.jobFlowTemplate.spec.flows" in reported
        assert "has 3 steps, at most 1" in reported
