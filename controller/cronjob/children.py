"""The Job that a CronJob creates for a due time. Pure."""

from datetime import datetime

from shared.cron import zone
from shared.kinds import CRONJOB, JOB
from shared.model.types import Body
from shared.names import CRONJOB_SCHEDULED, FOREIGN_ANNOTATION_PREFIXES
from shared.naming import scheduled_name


def job_for(cron_job: Body, due: int) -> Body:
    """The Job for the time `due`, seconds since 1970. Its name follows from the time, so that it is created once."""
    metadata, spec = cron_job["metadata"], cron_job["spec"]
    template = spec.get("jobTemplate") or {}
    given = template.get("metadata") or {}
    scheduled = datetime.fromtimestamp(due, zone(spec.get("timeZone") or "")).isoformat().replace("+00:00", "Z")
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.kind,
        "metadata": {
            "name": scheduled_name(metadata["name"], due),
            "namespace": metadata["namespace"],
            "labels": dict(given.get("labels") or {}),
            "annotations": {**_annotations(given), CRONJOB_SCHEDULED: scheduled},
            "ownerReferences": [owner(cron_job)],
        },
        "spec": dict(template.get("spec") or {}),
    }


def owner(cron_job: Body) -> Body:
    metadata = cron_job["metadata"]
    return {
        "apiVersion": CRONJOB.api_version,
        "kind": CRONJOB.kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _annotations(given: Body) -> Body:
    found = given.get("annotations") or {}
    return {name: value for name, value in found.items() if not name.startswith(FOREIGN_ANNOTATION_PREFIXES)}
