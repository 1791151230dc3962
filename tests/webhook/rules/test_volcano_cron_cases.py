"""CronJobs as Volcano's users write them: its example, and the cases that its own validation decides, one by one.

`volcano` is the verdict of Volcano 1.13; `decision` says why ours differs, where it does (docs/compatibility.md).
"""

import pytest

from shared import kinds
from shared.model.types import Body
from tests.webhook.make import body, verdict


def cron_job(name: str = "cronvcjob", schedule: str = "*/5 * * * *", **spec: object) -> Body:
    container = {"name": "fake-name", "image": "busybox:1.24"}
    template = {"metadata": {"labels": {"name": "test"}}, "spec": {"containers": [container]}}
    job = {
        "minAvailable": 1,
        "queue": "default",
        "tasks": [{"name": "task-1", "replicas": 1, "template": template}],
        "policies": [{"event": "PodEvicted", "action": "RestartTask"}],
    }
    given = {"schedule": schedule, "concurrencyPolicy": "Allow", "jobTemplate": {"spec": job}, **spec}
    return body(kinds.CRONJOB, name, given)


def example() -> Body:
    """A Job every five minutes with the fields of Volcano's example."""
    container = {"name": "main", "image": "busybox:latest", "command": ["/bin/sh", "-c", "date"]}
    task = {
        "replicas": 1,
        "name": "task-1",
        "template": {"spec": {"containers": [container], "restartPolicy": "OnFailure"}},
    }
    job = {
        "schedulerName": "volcano",
        "tasks": [task],
        "policies": [{"event": "PodEvicted", "action": "RestartJob"}],
        "minAvailable": 1,
    }
    return body(
        kinds.CRONJOB,
        "volcano-cronjob-example",
        {
            "schedule": "*/5 * * * *",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 60,
            "successfulJobsHistoryLimit": 5,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {"spec": job},
        },
    )


TAKEN, REFUSED = True, False
CASES: dict[str, tuple[Body, bool]] = {
    "its example": (example(), TAKEN),
    "every minute": (cron_job(schedule="* * * * *"), TAKEN),
    "an interval": (cron_job(schedule="@every 1m"), TAKEN),
    "a zone": (cron_job(timeZone="Pacific/Honolulu"), TAKEN),
    "a zone in the schedule": (cron_job(schedule="TZ=UTC 0 20 * * *", timeZone="Pacific/Honolulu"), REFUSED),
    "CRON_TZ in the schedule": (cron_job(schedule="CRON_TZ=UTC 0 20 * * *"), REFUSED),
    "words for a schedule": (cron_job(schedule="error schedule", timeZone="Pacific/Honolulu"), REFUSED),
    "no schedule": (cron_job(schedule=""), REFUSED),
    "a dot in the zone": (cron_job(timeZone="Asia/./Shanghai"), REFUSED),
    "a dash in the zone": (cron_job(timeZone="America/-NewYork"), REFUSED),
    "a space in the zone": (cron_job(timeZone="New York"), REFUSED),
    "an exclamation mark in the zone": (cron_job(timeZone="UTC!"), REFUSED),
    "Local": (cron_job(timeZone="Local"), REFUSED),
    "an empty zone": (cron_job(timeZone=""), REFUSED),
    "a misspelt zone": (cron_job(timeZone="Amerrica/New_York"), REFUSED),
    "a name of 65 characters": (cron_job("a" * 65), REFUSED),
    "a name of capitals": (cron_job("-UPPERCASE"), REFUSED),
    "a day that no month has": (cron_job(schedule="0 0 32 * *"), REFUSED),
    "seconds": (cron_job(schedule="0 */5 * * * *"), REFUSED),
    "names of months and days": (cron_job(schedule="0 9 * JAN-MAR mon,WED"), TAKEN),
    "question marks": (cron_job(schedule="0 9 ? * ?"), TAKEN),
    "a macro": (cron_job(schedule="@hourly"), TAKEN),
    "a directory of zones": (cron_job(timeZone="Europe"), REFUSED),
    "an unknown macro": (cron_job(schedule="@fortnightly"), REFUSED),
}
# The object, Volcano's verdict, and the decision that ours differs by.
DIFFERENT: dict[str, tuple[Body, bool, str]] = {
    "a name of 52 characters": (
        cron_job("a" * 52),
        TAKEN,
        "the pods of its Jobs would have names of 70 characters, which Kubernetes refuses",
    ),
    "30 February": (cron_job(schedule="0 0 30 2 *"), TAKEN, "a schedule that is never due is refused"),
    "an interval below a minute": (
        cron_job(schedule="@every 10s"),
        TAKEN,
        "Jobs are named by the minute, so that two of one minute would have one name",
    ),
    "a Job that Volcano's own webhook refuses": (
        cron_job(jobTemplate={"spec": {"minAvailable": 9, "tasks": []}}),
        TAKEN,
        "the template is judged by all rules of Jobs, so that the CronJob is refused and not each of its Jobs",
    ),
    "the machine's zone by another name": (
        cron_job(timeZone="posixrules"),
        TAKEN,
        "only IANA names, which mean the same on every machine",
    ),
}


@pytest.mark.parametrize(("given", "volcano"), CASES.values(), ids=CASES)
def test_the_verdict_is_that_of_volcano(given: Body, volcano: bool) -> None:
    assert verdict(given).allowed is volcano


@pytest.mark.parametrize(("given", "volcano", "decision"), DIFFERENT.values(), ids=DIFFERENT)
def test_the_verdict_differs_by_decision(given: Body, volcano: bool, decision: str) -> None:
    assert verdict(given).allowed is not volcano, decision
