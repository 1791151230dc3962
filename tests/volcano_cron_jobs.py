"""What Volcano's CronJob controller does with a CronJob, for tests without its binary. Pure.

It follows the behaviour of Volcano 1.13 and later. tests/e2e/schedules/test_take_over.py compares it with what the real
vc-controller-manager writes, where that is available.
"""

import copy
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from croniter import croniter

from shared.model.types import Body
from shared.timestamp import epoch, epoch_or_none, rfc3339

SCHEDULED: Final = "volcano.sh/cronjob-scheduled-timestamp"
_ENDED: Final = ("Completed", "Failed", "Terminated")
_FIELDS: Final = ("active", "lastScheduleTime", "lastSuccessfulTime")


class VolcanoPass(msgspec.Struct, frozen=True):
    """One pass. `create`: a Job without its status; `status`: the whole new one, or None where nothing is written."""

    create: Body | None = None
    delete: tuple[str, ...] = ()
    status: Body | None = None


def volcano_pass(cron_job: Body, jobs: Sequence[Body], now: float) -> VolcanoPass:
    """What Volcano does at `now`, epoch seconds. `jobs`: those whose controller is the CronJob."""
    before = _own_fields(cron_job.get("status") or {})
    status = copy.deepcopy(before)
    spec = cron_job["spec"]
    uids = {job["metadata"]["uid"]: _phase(job) for job in jobs}
    active = status.get("active", [])
    status["active"] = [each for each in active if uids.get(each["uid"], "Completed") not in _ENDED]
    for job in jobs:
        if _phase(job) == "Completed":
            ended = job["status"]["state"]["lastTransitionTime"]
            status["lastSuccessfulTime"] = max(ended, status.get("lastSuccessfulTime") or ended)
    delete = _beyond(jobs, "Completed", spec.get("successfulJobsHistoryLimit"))
    delete += _beyond(jobs, "Failed", spec.get("failedJobsHistoryLimit"))
    create = None if spec.get("suspend") else _due_job(cron_job, status, now)
    if create is not None and status["active"] and spec.get("concurrencyPolicy") == "Forbid":
        create = None
    if create is not None and spec.get("concurrencyPolicy") == "Replace":
        delete += [each["name"] for each in status["active"]]
        status["active"] = []
    names = {job["metadata"]["name"] for job in jobs}
    if create is not None and create["metadata"]["name"] in names:
        create = None  # Volcano reads the existing Job and leaves the status alone
    status = {key: value for key, value in status.items() if value}
    return VolcanoPass(create, tuple(delete), None if status == before else status)


def recorded(status: Body | None, cron_job: Body, job: Body) -> Body:
    """The status after that pass has created `job`, as the API server answered it."""
    metadata = job["metadata"]
    reference = {
        "apiVersion": job["apiVersion"],
        "kind": job["kind"],
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "resourceVersion": metadata["resourceVersion"],
    }
    base = _own_fields(cron_job.get("status") or {}) if status is None else status
    due = rfc3339(epoch(metadata["annotations"][SCHEDULED]))
    return {**base, "active": [*base.get("active", ()), reference], "lastScheduleTime": due}


def _own_fields(status: Body) -> Body:
    """Volcano's client drops the fields that it does not know."""
    return {key: copy.deepcopy(status[key]) for key in _FIELDS if status.get(key)}


def _due_job(cron_job: Body, status: Body, now: float) -> Body | None:
    """The Job for the newest time that is due and not yet recorded."""
    metadata, spec = cron_job["metadata"], cron_job["spec"]
    last = epoch_or_none(status.get("lastScheduleTime"))
    earliest = last if last is not None else epoch(metadata["creationTimestamp"])
    deadline = spec.get("startingDeadlineSeconds")
    if deadline is not None:
        earliest = max(earliest, now - deadline)
    due = None
    times = croniter(spec["schedule"], datetime.fromtimestamp(earliest, UTC), ret_type=float)
    while (found := float(times.get_next())) <= now:
        due = int(found)
    if due is None or due == last:
        return None
    name = f"{metadata['name']}-{due // 60}"
    return None if name in {each["name"] for each in status["active"]} else _job(cron_job, name, due)


def _job(cron_job: Body, name: str, due: int) -> Body:
    metadata, template = cron_job["metadata"], cron_job["spec"]["jobTemplate"]
    given: dict[str, Any] = template.get("metadata") or {}
    owner = {
        "apiVersion": "batch.volcano.sh/v1alpha1",
        "kind": "CronJob",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "batch.volcano.sh/v1alpha1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "labels": dict(given.get("labels") or {}),
            "annotations": {**(given.get("annotations") or {}), SCHEDULED: rfc3339(due)},
            "ownerReferences": [owner],
        },
        "spec": copy.deepcopy(template["spec"]),
    }


def _beyond(jobs: Sequence[Body], phase: str, limit: int | None) -> list[str]:
    ended = sorted(
        (job["metadata"].get("creationTimestamp", ""), job["metadata"]["name"]) for job in jobs if _phase(job) == phase
    )
    return [] if limit is None else [name for _, name in ended[: max(0, len(ended) - limit)]]


def _phase(job: Body) -> str:
    return str(((job.get("status") or {}).get("state") or {}).get("phase") or "")
