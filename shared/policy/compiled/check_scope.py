"""Validates to which requests a policy applies, and when: `match.users`, `match.operations`, `validity`."""

from collections.abc import Iterator
from typing import Final

from shared import duration
from shared.cron import CronError, Interval, ZoneError, parse, zone
from shared.model.policy import JobFlowPolicySpec, PolicyKind, PolicyOperation, TimeWindow, Validity
from shared.policy.patterns.globs import glob_fault
from shared.timestamp import epoch_or_none, is_date_time
from shared.violation import Reason, Violation

DELETABLE: Final = (PolicyKind.JOBFLOW, PolicyKind.JOBTEMPLATE)
"""The kinds whose deletion policies can judge."""
_LONGEST: Final = 366 * 86_400.0


def scope_faults(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    """All faults of these fields."""
    yield from _users(spec)
    yield from _operations(spec)
    if spec.validity is not None:
        yield from _validity(spec.validity)
    yield from _quotas(spec)


def _users(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    users = spec.match.users if spec.match is not None else None
    if users is None:
        return
    lists = (("names", users.names), ("groups", users.groups), ("serviceAccounts", users.service_accounts))
    for name, texts in lists:
        for index, text in enumerate(texts):
            path = f"spec.match.users.{name}[{index}]"
            if fault := glob_fault(text):
                yield Violation(path, fault, text)
            elif name == "serviceAccounts" and text.count("/") != 1:
                yield Violation(path, "must be NAMESPACE/NAME, such as ci/runner or ci/*", text)


def _operations(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    match = spec.match
    if match is None or PolicyOperation.DELETE not in match.operations:
        return
    if match.kinds and not any(kind in DELETABLE for kind in match.kinds):
        path, kinds = "spec.match.operations", ", ".join(DELETABLE)
        yield Violation(path, f"only deletions of {kinds} are judged; add one to spec.match.kinds", "DELETE")
    if not spec.rules:
        yield Violation("spec.rules", "deletions are judged by rules only, over oldObject", reason=Reason.REQUIRED)


def _validity(validity: Validity) -> Iterator[Violation]:
    start, end = epoch_or_none(validity.from_), epoch_or_none(validity.until)
    for name, text in (("from", validity.from_), ("until", validity.until)):
        if text is not None and not is_date_time(text):
            yield Violation(f"spec.validity.{name}", 'must be an RFC 3339 time such as "2026-12-24T00:00:00Z"', text)
    if start is not None and end is not None and end <= start:
        yield Violation("spec.validity.until", "must be later than from", validity.until)
    for index, window in enumerate(validity.windows):
        yield from _window(f"spec.validity.windows[{index}]", window)


def _window(path: str, window: TimeWindow) -> Iterator[Violation]:
    try:
        if isinstance(parse(window.schedule), Interval):
            yield Violation(f"{path}.schedule", "must be a cron expression: @every has no fixed times", window.schedule)
    except CronError as error:
        yield Violation(f"{path}.schedule", str(error), window.schedule)
    try:
        seconds = duration.seconds(window.duration)
        if not 1 <= seconds <= _LONGEST:
            yield Violation(f"{path}.duration", "must be from 1s to 8784h (a year)", window.duration)
    except duration.DurationError as error:
        yield Violation(f"{path}.duration", str(error), window.duration)
    if window.time_zone is not None:
        try:
            zone(window.time_zone)
        except ZoneError as error:
            yield Violation(f"{path}.timeZone", str(error), window.time_zone)


def _quotas(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    """Quotas count the objects of all users, at all times, so that webhook and controller agree."""
    limits = spec.limits
    if limits is None or not limits.has_quota:
        return
    quota = "limits.maxActiveJobs" if limits.max_active_jobs is not None else "limits.maxActiveFlows"
    match = spec.match
    given = (
        ("spec.validity", spec.validity is not None),
        ("spec.match.users", match is not None and match.users is not None),
        ("spec.match.operations", match is not None and bool(match.operations)),
    )
    for path, is_set in given:
        if is_set:
            message = f"cannot be combined with {quota}, which counts objects of all users at all times"
            yield Violation(path, f"{message}; use another policy", reason=Reason.FORBIDDEN)
