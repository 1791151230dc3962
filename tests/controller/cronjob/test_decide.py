"""The CronJob controller's decision: Jobs, status, events and the next look, as data."""

import copy
from typing import Any

import pytest

from controller.cronjob.decide import decide
from controller.decision import Create, Decision, Delete, Refusal
from controller.schedule.tally import ScheduleDecision
from shared.kinds import JOB
from shared.model.types import Body
from shared.timestamp import epoch
from tests.purity import pure

CREATED = "2026-03-28T00:00:00Z"


def cron_job(status: Body | None = None, **spec: Any) -> Body:
    template = {
        "metadata": {"labels": {"team": "a"}, "annotations": {"note": "x", "argocd.argoproj.io/tracking-id": "y"}},
        "spec": {"tasks": [{"name": "w", "replicas": 1}]},
    }
    return {
        "metadata": {
            "name": "nightly",
            "namespace": "ns1",
            "uid": "u1",
            "generation": 3,
            "creationTimestamp": CREATED,
        },
        "spec": {"schedule": "30 2 * * *", "timeZone": "Europe/Berlin", "jobTemplate": template, **spec},
        "status": status or {},
    }


def job(due: str, phase: str = "Running", **metadata: Any) -> Body:
    minutes = int(epoch(due)) // 60
    return {
        "metadata": {"name": f"nightly-{minutes}", "namespace": "ns1", "uid": f"job-{minutes}", **metadata},
        "status": {"state": {"phase": phase, "lastTransitionTime": due}},
    }


def decided(given: Body, *jobs: Body, now: str, refusals: dict[Any, Refusal] | None = None) -> Decision:
    before = copy.deepcopy((given, jobs))
    decision = pure(decide)(given, list(jobs), refusals or {}, epoch(now))
    assert (given, jobs) == before
    return decision


def created(decision: Decision) -> list[Body]:
    return [action.body for action in decision.actions if isinstance(action, Create)]


def test_a_due_time_creates_a_job_named_after_it() -> None:
    (made,) = created(decided(cron_job(), now="2026-03-28T01:30:02Z"))

    assert made["metadata"]["name"] == f"nightly-{int(epoch('2026-03-28T01:30:00Z')) // 60}"
    assert made["metadata"]["labels"] == {"team": "a"}
    assert made["metadata"]["annotations"] == {
        "note": "x",
        "volcano.sh/cronjob-scheduled-timestamp": "2026-03-28T02:30:00+01:00",
    }
    assert made["metadata"]["ownerReferences"][0] == {
        "apiVersion": "batch.volcano.sh/v1alpha1",
        "kind": "CronJob",
        "name": "nightly",
        "uid": "u1",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    assert made["spec"] == {"tasks": [{"name": "w", "replicas": 1}]}


def test_a_time_that_a_clock_change_skips_runs_at_the_end_of_the_gap() -> None:
    status = {"lastScheduleTime": "2026-03-28T01:30:00Z"}
    (made,) = created(decided(cron_job(status), now="2026-03-29T01:00:01Z"))

    assert made["metadata"]["annotations"]["volcano.sh/cronjob-scheduled-timestamp"] == "2026-03-29T03:00:00+02:00"


def test_the_status_is_volcanos_with_what_is_observed() -> None:
    decision = decided(cron_job(), job("2026-03-28T01:30:00Z"), now="2026-03-28T01:30:02Z")

    assert decision.status is not None
    assert decision.status["active"] == [
        {
            "apiVersion": "batch.volcano.sh/v1alpha1",
            "kind": "Job",
            "namespace": "ns1",
            "name": "nightly-29577690",
            "uid": "job-29577690",
        }
    ]
    assert decision.status["lastScheduleTime"] == "2026-03-28T01:30:00Z"
    assert decision.status["observedSchedule"] == {
        "schedules": ["30 2 * * *"],
        "timeZone": "Europe/Berlin",
        "since": CREATED,
    }
    assert decision.status["conditions"][0]["type"] == "Ready"


def test_an_edit_of_the_schedule_starts_no_time_before_it() -> None:
    observed = {"schedules": ["0 23 * * *"], "timeZone": "Europe/Berlin", "since": CREATED}
    edited = decided(cron_job({"observedSchedule": observed}), now="2026-03-28T06:00:00Z")

    assert created(edited) == []
    assert edited.status is not None
    assert edited.status["observedSchedule"]["since"] == "2026-03-28T06:00:00Z"


def test_a_time_zone_that_is_not_known_any_more_is_a_condition_and_an_event() -> None:
    decision = decided(cron_job(timeZone="Mars/Olympus"), now="2026-03-28T01:30:02Z")

    assert created(decision) == []
    assert decision.status is not None
    ready = decision.status["conditions"][0]
    assert (ready["status"], ready["reason"]) == ("False", "InvalidSchedule")
    assert decision.notes[0].reason == "InvalidSchedule"


def test_a_refused_job_is_reported_and_tried_again() -> None:
    refused = Refusal(403, 'exceeded quota "q"', epoch("2026-03-28T01:30:01Z"))
    name = f"nightly-{int(epoch('2026-03-28T01:30:00Z')) // 60}"
    waiting = decided(cron_job(), now="2026-03-28T01:30:02Z", refusals={(JOB, name): refused})
    again = decided(cron_job(), now="2026-03-28T01:30:20Z", refusals={(JOB, name): refused})

    assert created(waiting) == []
    assert waiting.status is not None
    assert "lastScheduleTime" not in waiting.status
    assert waiting.status["conditions"][0]["message"] == 'exceeded quota "q"'
    assert waiting.requeue_after == pytest.approx(14)
    assert len(created(again)) == 1


def test_terminated_jobs_are_history_too() -> None:
    status = {"lastScheduleTime": "2026-03-28T03:00:00Z"}
    old = [job(f"2026-03-28T0{hour}:00:00Z", "Terminated") for hour in (1, 2, 3)]
    decision = decided(cron_job(status), *old, now="2026-03-28T04:00:00Z")

    deleted = [action.name for action in decision.cleanup if isinstance(action, Delete)]
    assert deleted == [old[0]["metadata"]["name"], old[1]["metadata"]["name"]]


def test_replace_deletes_the_active_job_before_it_creates_one() -> None:
    status = {"lastScheduleTime": "2026-03-27T01:30:00Z"}
    active = job("2026-03-27T01:30:00Z")
    decision = decided(cron_job(status, concurrencyPolicy="Replace"), active, now="2026-03-28T01:30:02Z")

    assert [action.name for action in decision.first if isinstance(action, Delete)] == [active["metadata"]["name"]]
    assert created(decision) == []


def test_a_cron_job_that_is_being_deleted_creates_no_job() -> None:
    given = cron_job()
    given["metadata"]["deletionTimestamp"] = "2026-03-28T01:00:00Z"

    assert decided(given, now="2026-03-28T01:30:02Z") == ScheduleDecision()


def volcanos(due: str, uid: str, phase: str) -> Body:
    """A Job as Volcano's CronJob controller leaves it."""
    note = {"volcano.sh/cronjob-scheduled-timestamp": due}
    return job(due, phase, annotations=note, ownerReferences=[{"kind": "CronJob", "uid": uid, "controller": True}])


def test_a_cron_job_that_volcano_ran_is_taken_over() -> None:
    status = {
        "active": [{"kind": "Job", "name": "nightly-29553090", "uid": "job-29553090", "resourceVersion": "7"}],
        "lastScheduleTime": "2026-03-30T01:30:00Z",
        "lastSuccessfulTime": "2026-03-29T02:10:00Z",
    }
    jobs = [volcanos(f"2026-03-{day}T01:30:00Z", "u1", "Completed") for day in (26, 27, 28, 29)]
    running = volcanos("2026-03-30T01:30:00Z", "u1", "Running")
    first = decided(
        cron_job(status, timeZone="Etc/UTC", schedule="30 1 * * *"), *jobs, running, now="2026-03-30T12:00:00Z"
    )

    assert created(first) == []
    assert [action.name for action in first.cleanup if isinstance(action, Delete)] == [jobs[0]["metadata"]["name"]]
    assert first.status is not None
    assert [each["name"] for each in first.status["active"]] == [running["metadata"]["name"]]
    assert first.status["lastScheduleTime"] == "2026-03-30T01:30:00Z"
    due = decided(
        cron_job(status, timeZone="Etc/UTC", schedule="30 1 * * *"), *jobs, running, now="2026-03-31T01:30:00Z"
    )
    assert [each["metadata"]["name"] for each in created(due)] == [
        f"nightly-{int(epoch('2026-03-31T01:30:00Z')) // 60}"
    ]
