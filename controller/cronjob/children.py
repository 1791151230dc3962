"""The Job that a CronJob creates for a due time. Pure."""

from datetime import datetime

from shared.children.metadata import controller_reference, copied_annotations
from shared.cron import zone
from shared.kinds import CRONJOB, JOB
from shared.model.types import Body
from shared.names import CRONJOB_SCHEDULED
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
            "annotations": {**copied_annotations(given), CRONJOB_SCHEDULED: scheduled},
            "ownerReferences": [controller_reference(CRONJOB, cron_job)],
        },
        "spec": dict(template.get("spec") or {}),
    }
