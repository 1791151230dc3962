"""Schedules in a whole cluster: two runs of each kind, suspend and resume, history, and examples that are accepted.

A schedule has a resolution of a minute, so the first two runs take up to two minutes of waiting. All kinds wait together.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.client.blocking import until
from local.client.rest import RestError
from local.cluster import LocalCluster
from shared.kinds import CRONJOB, CRONJOBFLOW, CRONJOBFLOWBACKFILL, JOB, JOBFLOW, JOBFLOWTEMPLATE, Kind
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario, template

TWO_RUNS = 150.0
EVERY_MINUTE = "* * * * *"


def pod_template() -> Body:
    return {"spec": {"containers": [{"name": "main", "image": "busybox", "command": ["sh", "-c", "sleep 1"]}]}}


def cron_job(namespace: str, name: str, **spec: Any) -> Body:
    job = {"tasks": [{"name": "w", "replicas": 1, "template": pod_template()}]}
    return {
        "apiVersion": CRONJOB.api_version,
        "kind": "CronJob",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"schedule": EVERY_MINUTE, "jobTemplate": {"spec": job}, **spec},
    }


def cron_job_flow(namespace: str, name: str, **spec: Any) -> Body:
    given = {"schedules": [EVERY_MINUTE], "template": {"name": "daily"}, **spec}
    return {
        "apiVersion": CRONJOBFLOW.api_version,
        "kind": "CronJobFlow",
        "metadata": {"name": name, "namespace": namespace},
        "spec": given,
    }


@pytest.fixture(scope="module")
def schedules(cluster: LocalCluster) -> Iterator[Scenario]:
    """All schedules of this file, created at once."""
    with cluster.namespace(f"schedules-{int(time.time())}") as name:
        found = Scenario(cluster, name)
        cluster.apply(template(name, "work", 1))
        cluster.apply(
            {
                "apiVersion": JOBFLOWTEMPLATE.api_version,
                "kind": "JobFlowTemplate",
                "metadata": {"name": "daily", "namespace": name},
                "spec": {
                    "params": [{"name": "day", "required": True}],
                    "flow": {"flows": [{"name": "a", "template": "work"}]},
                },
            }
        )
        cluster.apply(cron_job(name, "jobs", successfulJobsHistoryLimit=1))
        cluster.apply(cron_job(name, "asleep", suspend=True))
        day = [{"name": "day", "value": "$(schedule.date)"}]
        cluster.apply(cron_job_flow(name, "flows", params=day, concurrencyPolicy="Forbid"))
        cluster.apply(cron_job_flow(name, "never", params=day, when="false"))
        cluster.apply(cron_job_flow(name, "orphan", template={"name": "missing"}))
        yield found


def children(scenario: Scenario, kind: Kind, owner: str) -> list[Body]:
    found = scenario.kube.list(kind, scenario.namespace)
    owned = [body for body in found if owner in {each["name"] for each in body["metadata"].get("ownerReferences", ())}]
    return sorted(owned, key=lambda body: str(body["metadata"]["name"]))


def status(scenario: Scenario, kind: Kind, name: str) -> Body:
    return dict(scenario.kube.get(kind, scenario.namespace, name).get("status") or {})


def test_a_cron_job_runs_every_minute_and_prunes_its_history(schedules: Scenario) -> None:
    seen: set[str] = set()

    def two_runs() -> bool:
        seen.update(job["metadata"]["name"] for job in children(schedules, JOB, "jobs"))
        return len(seen) >= 2 and len(children(schedules, JOB, "jobs")) == 1

    until(two_runs, TWO_RUNS, lambda: f"jobs {sorted(seen)}: {status(schedules, CRONJOB, 'jobs')}")
    first, second = sorted(seen)[:2]

    assert int(second.rpartition("-")[2]) - int(first.rpartition("-")[2]) == 1
    assert status(schedules, CRONJOB, "jobs")["lastSuccessfulTime"]


def test_a_cron_job_flow_runs_its_template_with_the_date(schedules: Scenario) -> None:
    def ended() -> list[Body]:
        found = children(schedules, JOBFLOW, "flows")
        return [flow for flow in found if (flow.get("status") or {}).get("completionTime")]

    until(lambda: len(ended()) >= 2, TWO_RUNS, lambda: f"{status(schedules, CRONJOBFLOW, 'flows')}")

    for flow in ended():
        (param,) = flow["spec"]["params"]
        assert (param["name"], len(param["value"])) == ("day", 10)
        assert flow["status"]["state"]["phase"] == "Succeed"
    assert len(status(schedules, CRONJOBFLOW, "flows")["nextScheduleTimes"]) == 3


def test_what_is_suspended_or_whose_condition_is_false_creates_nothing(schedules: Scenario) -> None:
    until(
        lambda: status(schedules, CRONJOBFLOW, "never").get("skipped", {}).get("condition", 0) >= 1,
        TWO_RUNS,
        lambda: f"{status(schedules, CRONJOBFLOW, 'never')}",
    )

    assert children(schedules, JOBFLOW, "never") == []
    assert children(schedules, JOB, "asleep") == []


def test_a_missing_template_is_a_condition_that_goes_when_the_template_comes(schedules: Scenario) -> None:
    def ready() -> Body:
        return next(iter(status(schedules, CRONJOBFLOW, "orphan").get("conditions", ())), {})

    until(lambda: ready().get("status") == "False", 30, lambda: f"{ready()}")
    assert 'JobFlowTemplate "missing" does not exist' in ready()["message"]
    schedules.cluster.apply(
        {
            "apiVersion": JOBFLOWTEMPLATE.api_version,
            "kind": "JobFlowTemplate",
            "metadata": {"name": "missing", "namespace": schedules.namespace},
            "spec": {"flow": {"flows": [{"name": "a", "template": "work"}]}},
        }
    )
    until(lambda: ready().get("status") == "True", 30, lambda: f"{ready()}")


def test_a_resumed_cron_job_runs_its_newest_missed_time_at_once(schedules: Scenario) -> None:
    until(lambda: len(children(schedules, JOB, "jobs")) >= 1, TWO_RUNS, lambda: "a minute has passed")
    schedules.kube.patch(CRONJOB, schedules.namespace, "asleep", {"spec": {"suspend": False}})

    until(lambda: len(children(schedules, JOB, "asleep")) == 1, 30, lambda: f"{status(schedules, CRONJOB, 'asleep')}")


def test_a_backfill_runs_the_times_of_a_day_two_at_once(schedules: Scenario) -> None:
    spec = {
        "cronJobFlow": "past",
        "from": "2026-01-01T00:00:00Z",
        "to": "2026-01-01T23:59:59Z",
        "parallelism": 2,
    }
    day = [{"name": "day", "value": "$(schedule.date)"}]
    schedules.cluster.apply(
        cron_job_flow(schedules.namespace, "past", schedules=["0 */6 * * *"], params=day, suspend=True)
    )
    schedules.cluster.apply(
        {
            "apiVersion": CRONJOBFLOWBACKFILL.api_version,
            "kind": "CronJobFlowBackfill",
            "metadata": {"name": "new-year", "namespace": schedules.namespace},
            "spec": spec,
        }
    )

    def done() -> bool:
        assert len(status(schedules, CRONJOBFLOWBACKFILL, "new-year").get("active", ())) <= 2
        return bool(status(schedules, CRONJOBFLOWBACKFILL, "new-year").get("completionTime"))

    until(done, 60, lambda: f"{status(schedules, CRONJOBFLOWBACKFILL, 'new-year')}")
    assert status(schedules, CRONJOBFLOWBACKFILL, "new-year")["succeeded"] == "0-3"
    assert len(children(schedules, JOBFLOW, "new-year")) == 4
    assert {flow["spec"]["params"][0]["value"] for flow in children(schedules, JOBFLOW, "new-year")} == {"2026-01-01"}


def test_every_fault_of_a_schedule_is_told_at_once(schedules: Scenario) -> None:
    wrong = cron_job_flow(schedules.namespace, "wrong", schedules=["61 * * * *"], timeZone="Mars", when="last.")
    try:
        schedules.kube.create(CRONJOBFLOW, wrong)
        message = ""
    except RestError as error:
        message = error.message

    assert all(path in message for path in ("spec.schedules[0]", "spec.timeZone", "spec.when"))


def test_the_examples_are_accepted_without_a_warning(schedules: Scenario) -> None:
    ran = schedules.cluster.kubectl(
        "apply", f"--namespace={schedules.namespace}", "-f", "examples/schedules/", "--dry-run=server"
    )

    assert ran.returncode == 0, ran.stderr
    warnings = [line for line in ran.stderr.splitlines() if "Warning" in line and "does not exist yet" not in line]
    assert [line for line in warnings if "not found yet" not in line] == []
