"""Rules of CronJob: its schedule, its name, and its template by the rules of Jobs."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final

import msgspec

from shared.violation import Violation
from webhook.rules.cron.schedules import forecast, name_faults, schedule_faults, zone_faults
from webhook.subject.cron_subjects import CronJobSubject

_TEMPLATE: Final = "spec.jobTemplate."


def schedule_is_a_schedule(cron: CronJobSubject) -> Iterator[Violation]:
    return schedule_faults([("spec.schedule", cron.spec.schedule)])


def time_zone_exists(cron: CronJobSubject) -> Iterator[Violation]:
    return zone_faults("spec.timeZone", cron.spec.time_zone)


def job_names_fit_the_schedule(cron: CronJobSubject) -> Iterator[Violation]:
    return name_faults(cron.name) if cron.creating else iter(())


def next_jobs(cron: CronJobSubject, now: float) -> Iterator[str]:
    """Shown when a schedule is new or has changed."""
    spec, old = cron.spec, cron.old_spec
    if not spec.suspend and (old is None or (old.schedule, old.time_zone) != (spec.schedule, spec.time_zone)):
        yield from forecast((spec.schedule,), spec.time_zone or "", now)


def of_template(rule: Callable[[Any], Iterator[Violation]]) -> Callable[[CronJobSubject], Iterator[Violation]]:
    """A rule of Jobs, applied to the Job that the CronJob creates; paths point into spec.jobTemplate."""

    @wraps(rule)
    def applied(cron: CronJobSubject) -> Iterator[Violation]:
        for fault in rule(cron.job):
            if not fault.path.startswith("metadata.name"):
                yield msgspec.structs.replace(fault, path=_TEMPLATE + fault.path)

    return applied


def warned_of_template(warner: Callable[[Any], Iterator[str]]) -> Callable[[CronJobSubject], Iterator[str]]:
    """A warning about Jobs, applied to the Job that the CronJob creates."""

    @wraps(warner)
    def applied(cron: CronJobSubject) -> Iterator[str]:
        for text in warner(cron.job):
            yield _TEMPLATE + text if text.startswith("spec.") else text

    return applied
