"""Every rule of a CronJob, in a table of changed manifests and expected violations."""

from typing import Any

import pytest

from shared import kinds
from shared.model.types import Body
from tests.webhook.make import body, faults, job, task, verdict


def cron_job(name: str = "nightly", template: Body | None = None, **spec: Any) -> Body:
    made = (template or job())["spec"]
    return body(kinds.CRONJOB, name, {"schedule": "0 2 * * *", "jobTemplate": {"spec": made}, **spec})


POD_NAME_FAULT = "spec.jobTemplate.spec.tasks[0].name: Invalid value"

REFUSED: dict[str, tuple[Body, list[str]]] = {
    "a schedule that is none": (
        cron_job(schedule="0 2 * *"),
        [
            (
                'spec.schedule: Invalid value: "0 2 * *": 4 fields, but 5 are expected '
                "(minute hour day-of-month month day-of-week)"
            )
        ],
    ),
    "an empty schedule": (
        cron_job(schedule=""),
        ['spec.schedule: Invalid value: "": 0 fields, but 5 are expected (minute hour day-of-month month day-of-week)'],
    ),
    "a zone in the schedule": (
        cron_job(schedule="TZ=UTC 0 2 * * *"),
        ['spec.schedule: Invalid value: "TZ=UTC 0 2 * * *": a schedule must not contain a time zone; use timeZone'],
    ),
    "an empty time zone": (
        cron_job(timeZone=""),
        ['spec.timeZone: Invalid value: "": must be an IANA time zone name such as "Europe/Berlin", or absent for UTC'],
    ),
    "the machine's own time zone": (
        cron_job(timeZone="Local"),
        ['spec.timeZone: Invalid value: "Local": not an IANA time zone name, such as "Europe/Berlin" or "UTC"'],
    ),
    "a name of 53 characters": (
        cron_job("n" * 53),
        [f'metadata.name: Invalid value: "{"n" * 53}": must be no more than 52 characters', POD_NAME_FAULT],
    ),
    "a name whose pods do not fit": (cron_job("n" * 51), [POD_NAME_FAULT]),
    "a template with a minimum above its replicas": (
        cron_job(template=job(task(replicas=1), minAvailable=5)),
        [
            (
                "spec.jobTemplate.spec.minAvailable: Invalid value: 5: job 'minAvailable' should not be greater than total "
                "replicas in tasks (1)"
            )
        ],
    ),
    "a template with two tasks of one name": (
        cron_job(template=job(task("w"), task("w"))),
        ['spec.jobTemplate.spec.tasks[1].name: Duplicate value: "w": duplicated task name w'],
    ),
    "all faults at once": (
        cron_job(schedule="x", timeZone="Local", template=job(tasks=None)),
        ["spec.schedule", "spec.timeZone", "spec.jobTemplate.spec.tasks"],
    ),
}


@pytest.mark.parametrize(("given", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_with_a_cron_job(given: Body, expected: list[str]) -> None:
    found = faults(given)

    assert len(found) == len(expected)
    assert all(text.startswith(start) for text, start in zip(found, expected, strict=True))


ACCEPTED = {
    "the plain one": cron_job(),
    "a zone": cron_job(timeZone="America/New_York"),
    "a macro": cron_job(schedule="@daily"),
    "an interval": cron_job(schedule="@every 1h30m"),
    "a name whose pods just fit": cron_job("n" * 50),
    "a queue that does not exist yet": cron_job(template=job(queue="later")),
}


@pytest.mark.parametrize("given", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_is_accepted(given: Body) -> None:
    assert verdict(given).allowed
