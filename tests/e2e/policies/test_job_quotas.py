"""`limits.maxActiveJobs` as users meet it: bursts, flows, schedules, deletions, and a controller that is killed."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.backends import Backend
from local.client.blocking import until
from local.cluster import ClusterOptions, LocalCluster
from shared.kinds import CRONJOB, EVENT, JOB, JOBFLOWPOLICY, PODGROUP
from shared.model.types import Body
from tests.e2e.conftest import SPEED
from tests.e2e.support.active_jobs import ActiveJobs
from tests.e2e.support.policies import here, known_to_the_controller, known_to_the_webhook, policy
from tests.e2e.support.scenario import Scenario, job_phase, step_of, template


@pytest.fixture(scope="module")
def cluster(backend: Backend) -> Iterator[LocalCluster]:
    """One whose controller needs no lease: a killed one's would keep its successor waiting."""
    arguments = ("--no-leader-elect", "--scan-interval=3600")
    options = ClusterOptions(nodes=2, cpu="64", memory="256Gi", speed=SPEED, controller_args=arguments)
    with LocalCluster(backend, options) as made:
        yield made


class JobQuotaPolicy:
    """A policy for the Jobs of one scenario's namespace."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.name = f"{scenario.namespace}-jobs"

    def apply(self, most: int, held: int = 0) -> None:
        limits = {"maxActiveJobs": most, "maxHeldJobs": held}
        self.scenario.cluster.kubectl.apply(
            policy(self.name, match={"namespaceSelector": here(self.scenario)}, limits=limits)
        )
        known_to_the_webhook(self.scenario, self.name)
        known_to_the_controller(self.scenario, self.name)


@pytest.fixture
def quota(scenario: Scenario) -> Iterator[JobQuotaPolicy]:
    made = JobQuotaPolicy(scenario)
    yield made
    scenario.kube.delete(JOBFLOWPOLICY, "", made.name)


@pytest.fixture
def active(scenario: Scenario) -> Iterator[ActiveJobs]:
    """Counts the Jobs of the scenario from its begin."""
    with ActiveJobs(scenario.kube, scenario.namespace) as made:
        yield made


def job(scenario: Scenario, name: str, seconds: float = 20, **spec: Any) -> Body:
    made = template(scenario.namespace, name, seconds)
    return {**made, "apiVersion": JOB.api_version, "kind": JOB.kind, "spec": {**made["spec"], **spec}}


def state(scenario: Scenario, name: str) -> Body:
    found = scenario.kube.find(JOB, scenario.namespace, name) or {}
    return dict((found.get("status") or {}).get("state") or {})


def is_held(scenario: Scenario, name: str) -> bool:
    found = state(scenario, name)
    return (found.get("phase"), found.get("reason")) == ("Pending", "QuotaExceeded")


def reaches(scenario: Scenario, name: str, *phases: str) -> None:
    until(lambda: state(scenario, name).get("phase") in phases, 60, lambda: f"{name}: {state(scenario, name)}")


def waits(scenario: Scenario, name: str) -> None:
    until(lambda: is_held(scenario, name), 30, lambda: f"{name}: {state(scenario, name)}")


def burst(scenario: Scenario, size: int, seconds: float = 20) -> list[str]:
    """The names of Jobs that are applied at once."""
    names = [f"j{number}" for number in range(size)]
    scenario.cluster.kubectl.apply([job(scenario, name, seconds) for name in names])
    return names


def by_age(scenario: Scenario, *names: str) -> list[str]:
    """In the order of quotas. Timestamps have whole seconds, so Jobs that are made one after the other may share one."""
    jobs = scenario.jobs()
    return sorted(names, key=lambda name: (jobs[name]["metadata"]["creationTimestamp"], jobs[name]["metadata"]["uid"]))


def test_a_burst_of_jobs_runs_two_at_a_time_and_the_rest_is_refused(
    scenario: Scenario, quota: JobQuotaPolicy, active: ActiveJobs
) -> None:
    quota.apply(2, held=4)
    names = burst(scenario, 6)
    told = scenario.cluster.kubectl.refusal(job(scenario, "more"))
    assert "active Jobs, at most 2 may run at once and 4 may wait" in told
    for name in names:
        reaches(scenario, name, "Completed")
    assert active.jobs == set(names)
    assert active.most <= 2
    until(
        lambda: {"QuotaExceeded", "QuotaFree"} <= set(scenario.event_reasons()),
        20,
        lambda: f"only {scenario.event_reasons()}",
    )


def test_a_held_job_has_nothing_and_says_why_and_a_deletion_starts_the_oldest(
    scenario: Scenario, quota: JobQuotaPolicy
) -> None:
    quota.apply(1, held=5)
    scenario.kube.create(JOB, job(scenario, "first", seconds=2000))
    reaches(scenario, "first", "Running")
    for name in ("second", "third"):
        scenario.kube.create(JOB, job(scenario, name, seconds=2000))
        waits(scenario, name)
    why = f'at most 1 Job of namespace "{scenario.namespace}" may run at once (policy "{quota.name}", limits.maxActiveJobs)'
    assert state(scenario, "second")["message"] == why
    owned = [
        each["metadata"]["ownerReferences"][0]["name"] for each in scenario.kube.list(PODGROUP, scenario.namespace)
    ]
    assert owned == ["first"]
    running = "first"
    for name in by_age(scenario, "second", "third"):
        assert is_held(scenario, name)
        scenario.kube.delete(JOB, scenario.namespace, running)
        reaches(scenario, name, "Running")
        running = name


def test_steps_of_a_flow_wait_for_places_and_the_flow_succeeds(
    scenario: Scenario, quota: JobQuotaPolicy, active: ActiveJobs
) -> None:
    scenario.templates("a", "b", "c", "d", "clean", seconds=20)
    quota.apply(1)
    scenario.flow("f", {"a": (), "b": (), "c": (), "d": ("a",)}, **{"finally": [{"name": "clean"}]})

    def a_step_says_so() -> bool:
        status = scenario.get("f").get("status") or {}
        held = [each for each in status.get("steps") or () if each.get("reason") == "JobHeld"]
        return bool(held) and status["state"]["reason"] == "JobHeld" and "at most 1 Job" in held[0]["message"]

    until(a_step_says_so, 60, lambda: str(scenario.get("f").get("status")))
    scenario.succeeds("f", seconds=120)
    assert active.most == 1
    assert step_of(scenario.get("f"), "clean")["phase"] == "Completed"


def test_a_killed_controller_neither_exceeds_the_quota_nor_forgets_a_held_job(
    scenario: Scenario, quota: JobQuotaPolicy, active: ActiveJobs
) -> None:
    quota.apply(2, held=20)
    names = burst(scenario, 10, seconds=10)
    for ended in (1, 4, 7):
        until(
            lambda ended=ended: [job_phase(each) for each in scenario.jobs().values()].count("Completed") >= ended,
            90,
            lambda: str({name: state(scenario, name) for name in names}),
        )
        scenario.cluster.kill_controller()
        scenario.cluster.restart_controller()
    for name in names:
        reaches(scenario, name, "Completed")
    assert active.most <= 2


def test_a_resumed_job_waits_for_a_place_and_a_suspended_one_needs_none(
    scenario: Scenario, quota: JobQuotaPolicy
) -> None:
    quota.apply(1, held=5)
    scenario.kube.create(JOB, job(scenario, "first", seconds=2000))
    reaches(scenario, "first", "Running")
    scenario.kube.create(JOB, job(scenario, "second", seconds=2000))
    waits(scenario, "second")
    scenario.kube.patch(JOB, scenario.namespace, "first", {"spec": {"suspend": True}})
    reaches(scenario, "second", "Running")
    reaches(scenario, "first", "Aborted")
    scenario.kube.patch(JOB, scenario.namespace, "first", {"spec": {"suspend": False}})
    waits(scenario, "first")
    scenario.kube.delete(JOB, scenario.namespace, "second")
    reaches(scenario, "first", "Running")


def test_jobs_of_a_schedule_count_and_are_refused_beyond_the_quota(scenario: Scenario, quota: JobQuotaPolicy) -> None:
    quota.apply(1)
    made = template(scenario.namespace, "nightly", seconds=2000)
    spec = {"schedule": "* * * * *", "concurrencyPolicy": "Allow", "jobTemplate": {"spec": made["spec"]}}
    metadata = {"name": "nightly", "namespace": scenario.namespace}
    cron = {"apiVersion": CRONJOB.api_version, "kind": CRONJOB.kind, "metadata": metadata, "spec": spec}
    scenario.kube.create(CRONJOB, cron)
    until(scenario.jobs, 90, lambda: str(scenario.kube.get(CRONJOB, scenario.namespace, "nightly")))
    refused = scenario.cluster.kubectl.refusal(job(scenario, "mine"))
    assert "has 1 active Job, at most 1 may run at once" in refused

    def says_so() -> bool:
        told = [each.get("message", "") for each in scenario.kube.list(EVENT, scenario.namespace)]
        return any("at most 1 may run at once" in each for each in told)

    until(says_so, 90, lambda: str(scenario.kube.get(CRONJOB, scenario.namespace, "nightly").get("status")))
    assert len(scenario.jobs()) == 1
    scenario.kube.delete(CRONJOB, scenario.namespace, "nightly")
