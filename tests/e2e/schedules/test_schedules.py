"""Schedules in a whole cluster: two runs of each kind, suspend and resume, backfill, history, columns, events and metrics.

Schedules follow the speed of the cluster, so a minute takes three seconds.
"""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.client.blocking import until
from local.client.rest import RestError
from local.cluster import LocalCluster
from shared.kinds import CRONJOB, CRONJOBFLOW, CRONJOBFLOWBACKFILL, JOB, JOBFLOW, JOBFLOWTEMPLATE, JOBTEMPLATE, Kind
from shared.model.types import Body
from tests.e2e.support.scenario import Scenario, template

TWO_RUNS = 30.0
EVERY_MINUTE = "* * * * *"
DAY = [{"name": "day", "value": "$(schedule.date)"}]


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
        cluster.apply(cron_job_flow(name, "flows", params=DAY, concurrencyPolicy="Forbid"))
        cluster.apply(cron_job_flow(name, "never", params=DAY, when="false"))
        cluster.apply(cron_job_flow(name, "orphan", template={"name": "missing"}))
        yield found


def backfill(namespace: str, name: str, schedule: str, **spec: Any) -> Body:
    return {
        "apiVersion": CRONJOBFLOWBACKFILL.api_version,
        "kind": "CronJobFlowBackfill",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"cronJobFlow": schedule, **spec},
    }


def minute(name: str) -> int:
    """The due time of a child, in minutes since 1970."""
    return int(name.rpartition("-")[2])


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

    assert minute(second) - minute(first) == 1
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


def test_a_suspended_schedule_or_a_false_condition_creates_nothing(schedules: Scenario) -> None:
    until(
        lambda: status(schedules, CRONJOBFLOW, "never").get("skipped", {}).get("condition", 0) >= 1,
        TWO_RUNS,
        lambda: f"{status(schedules, CRONJOBFLOW, 'never')}",
    )

    assert children(schedules, JOBFLOW, "never") == []
    assert children(schedules, JOB, "asleep") == []


def test_a_missing_template_is_a_condition_until_the_template_exists(schedules: Scenario) -> None:
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


def test_a_suspended_cron_job_flow_skips_its_times_and_continues_when_it_is_resumed(schedules: Scenario) -> None:
    name = schedules.namespace
    schedules.cluster.apply(cron_job_flow(name, "pausing", params=DAY, concurrencyPolicy="Forbid"))

    def runs() -> list[str]:
        return [flow["metadata"]["name"] for flow in children(schedules, JOBFLOW, "pausing")]

    def skipped() -> int:
        return int(status(schedules, CRONJOBFLOW, "pausing").get("skipped", {}).get("suspended", 0))

    until(runs, TWO_RUNS, lambda: f"{status(schedules, CRONJOBFLOW, 'pausing')}")
    schedules.kube.patch(CRONJOBFLOW, name, "pausing", {"spec": {"suspend": True}})
    until(lambda: skipped() >= 2, TWO_RUNS, lambda: f"{status(schedules, CRONJOBFLOW, 'pausing')}")
    before = runs()[-1]
    schedules.kube.patch(CRONJOBFLOW, name, "pausing", {"spec": {"suspend": False}})
    until(lambda: runs()[-1] > before, TWO_RUNS, lambda: f"{runs()}")

    first_after = next(run for run in runs() if run > before)
    assert minute(first_after) > minute(before) + 2  # the skipped times in between are not made up for


def test_history_limits_leave_the_newest_flows(schedules: Scenario) -> None:
    name = schedules.namespace
    schedules.cluster.apply(cron_job_flow(name, "short", params=DAY, successfulJobFlowsHistoryLimit=1))
    seen: set[str] = set()

    def pruned() -> bool:
        flows = children(schedules, JOBFLOW, "short")
        found = [flow["metadata"]["name"] for flow in flows]
        ended = [flow for flow in flows if (flow.get("status") or {}).get("completionTime")]
        seen.update(found)
        return len(seen) >= 3 and len(ended) <= 1 and min(seen) not in found

    until(pruned, 2 * TWO_RUNS, lambda: f"flows {sorted(seen)}")


def test_a_backfill_runs_the_times_of_a_day_two_at_once(schedules: Scenario) -> None:
    schedules.cluster.apply(
        cron_job_flow(schedules.namespace, "past", schedules=["0 */6 * * *"], params=DAY, suspend=True)
    )
    day = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T23:59:59Z"}
    schedules.cluster.apply(backfill(schedules.namespace, "new-year", "past", parallelism=2, **day))

    def done() -> bool:
        assert len(status(schedules, CRONJOBFLOWBACKFILL, "new-year").get("active", ())) <= 2
        return bool(status(schedules, CRONJOBFLOWBACKFILL, "new-year").get("completionTime"))

    until(done, 60, lambda: f"{status(schedules, CRONJOBFLOWBACKFILL, 'new-year')}")
    assert status(schedules, CRONJOBFLOWBACKFILL, "new-year")["succeeded"] == "0-3"
    assert len(children(schedules, JOBFLOW, "new-year")) == 4
    assert {flow["spec"]["params"][0]["value"] for flow in children(schedules, JOBFLOW, "new-year")} == {"2026-01-01"}

    schedules.cluster.apply(backfill(schedules.namespace, "again", "past", **day))
    until(lambda: status(schedules, CRONJOBFLOWBACKFILL, "again").get("completionTime"), 30, lambda: "not complete")
    assert status(schedules, CRONJOBFLOWBACKFILL, "again")["skipped"] == "0-3"
    assert children(schedules, JOBFLOW, "again") == []


def test_a_deleted_backfill_stops_and_takes_its_flows_with_it(schedules: Scenario) -> None:
    name = schedules.namespace
    schedules.cluster.apply(cron_job_flow(name, "long", schedules=["0 * * * *"], params=DAY, suspend=True))
    schedules.cluster.apply(
        backfill(name, "stopped", "long", **{"from": "2026-01-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"})
    )
    until(lambda: len(children(schedules, JOBFLOW, "stopped")) >= 2, 60, lambda: "no flows")
    with pytest.raises(RestError, match="may not be changed; create another backfill"):
        schedules.kube.patch(CRONJOBFLOWBACKFILL, name, "stopped", {"spec": {"parallelism": 9}})
    schedules.kube.delete(CRONJOBFLOWBACKFILL, name, "stopped")

    until(lambda: children(schedules, JOBFLOW, "stopped") == [], 60, lambda: "flows are left")


def test_kubectl_shows_columns_and_waits_for_conditions(schedules: Scenario) -> None:
    def get(kind: str, name: str) -> dict[str, str]:
        ran = schedules.cluster.kubectl("get", kind, name, "-n", schedules.namespace, "-o", "wide")
        head, row = ran.stdout.splitlines()[:2]
        places = [head.index(word) for word in head.split()]
        ends = [*places[1:], len(row) + 1]
        return {head[at:end].strip(): row[at:end].strip() for at, end in zip(places, ends, strict=True)}

    for kind, name in (("cronvj", "jobs"), ("cjf", "flows"), ("cjfb", "new-year"), ("jft", "daily")):
        schedules.cluster.kubectl(
            "wait", f"{kind}/{name}", "-n", schedules.namespace, "--for=condition=Ready", "--timeout=60s"
        )
    schedules.cluster.kubectl(
        "wait", "cjfb/new-year", "-n", schedules.namespace, "--for=condition=Complete", "--timeout=60s"
    )
    assert get("cronvj", "jobs").items() >= {"SCHEDULE": EVERY_MINUTE, "READY": "True"}.items()
    flows = get("cjf", "flows")
    assert flows.items() >= {"SCHEDULE": f'["{EVERY_MINUTE}"]', "SUSPEND": "false", "READY": "True"}.items()
    assert flows["ACTIVE"] in ("0", "1")
    assert flows["NEXT"].endswith("00Z")
    assert get("cjfb", "new-year").items() >= {"SCHEDULE": "past", "PROGRESS": "4/4", "COMPLETE": "True"}.items()
    assert get("jft", "daily").items() >= {"PARAMS": '["day"]', "READY": "True"}.items()


def test_a_flow_template_is_ready_once_what_it_names_exists(schedules: Scenario) -> None:
    name = schedules.namespace
    flow = {"flows": [{"name": "a", "template": "later"}, {"name": "b", "flow": {"template": "inner"}}]}
    for template_name, content in (("outer", flow), ("inner", {"flows": [{"name": "a", "template": "work"}]})):
        schedules.cluster.apply(
            {
                "apiVersion": JOBFLOWTEMPLATE.api_version,
                "kind": "JobFlowTemplate",
                "metadata": {"name": template_name, "namespace": name},
                "spec": {"flow": content},
            }
        )
    wait = ("wait", "jft/outer", "-n", name)
    schedules.cluster.kubectl(*wait, "--for=condition=Ready=False", "--timeout=60s")

    def message() -> str:
        return str(status(schedules, JOBFLOWTEMPLATE, "outer")["conditions"][0]["message"])

    until(lambda: message() == 'JobTemplate "later" does not exist', 30, message)
    schedules.cluster.apply(template(name, "later", 1))
    schedules.cluster.kubectl(*wait, "--for=condition=Ready", "--timeout=60s")
    body = schedules.kube.get(JOBFLOWTEMPLATE, name, "outer")
    assert body["status"]["observedGeneration"] == body["metadata"]["generation"]
    schedules.kube.delete(JOBTEMPLATE, name, "later")
    schedules.cluster.kubectl(*wait, "--for=condition=Ready=False", "--timeout=60s")


def test_events_and_metrics_tell_what_schedules_did(schedules: Scenario) -> None:
    def reported() -> str:
        return str(schedules.cluster.kubectl("get", "events", "-n", schedules.namespace, "-o", "wide").stdout)

    until(lambda: "created JobFlow flows-" in reported() and "created Job jobs-" in reported(), 30, reported)
    assert "RunSkipped" in reported()
    metrics = schedules.cluster.metrics()
    assert (
        f'jobflow_schedule_last_success_timestamp_seconds{{kind="CronJob",schedule="{schedules.namespace}/jobs"}}'
        in metrics
    )
    assert float(re.findall(r'jobflow_schedule_lag_seconds_count{kind="CronJobFlow"} (\S+)', metrics)[0]) >= 2
    assert (
        float(re.findall(r'jobflow_schedule_skipped_total{cause="condition",kind="CronJobFlow"} (\S+)', metrics)[0])
        >= 1
    )


def test_all_faults_of_a_schedule_are_reported_at_once(schedules: Scenario) -> None:
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
    warnings = [line for line in ran.stderr.splitlines() if "Warning" in line]
    assert sum("next runs (" in line for line in warnings) == 3
    expected = ("next runs (", "does not exist yet", "not found yet")
    assert [line for line in warnings if not any(text in line for text in expected)] == []
