"""Pods can be made of a Job's pod templates (volcano-behaviour.md 2.3 row 8; shared.podtemplate)."""

from collections.abc import Iterator

from shared.podtemplate import check_template
from shared.violation import Violation
from webhook.subject import JobSubject


def pod_templates_make_pods(job: JobSubject) -> Iterator[Violation]:
    mounts = tuple(volume.mount_path for volume in job.spec.volumes)
    for index, task in enumerate(job.spec.tasks or ()):
        path = f"spec.tasks[{index}].template"
        yield from check_template(task.template, path, extra_mounts=mounts, allow_placeholders=job.template)
