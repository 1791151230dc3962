"""Pods can be made of a Job's pod templates (volcano-behaviour.md 2.3 row 8; shared.podtemplate)."""

from collections.abc import Iterator
from typing import Any, Final

from shared.podtemplate import check_template
from shared.violation import Reason, Violation
from webhook.subject.subjects import JobSubject, body_or_empty

_MOST: Final = 100_000  # values in all pod templates together; more could not be judged in time
_CONTAINER: Final = 40  # how much more a container costs than a plain value


def pod_templates_make_pods(job: JobSubject) -> Iterator[Violation]:
    mounts = tuple(volume.mount_path for volume in job.spec.volumes)
    left = _MOST
    for index, task in enumerate(job.tasks):
        path = f"spec.tasks[{index}].template"
        left -= _weight(task.template, left)
        if left < 0:
            message = f"the pod templates up to here are too large to be judged: about {_MOST} values are"
            yield Violation(path, message, reason=Reason.TOO_MANY)
            return
        yield from check_template(task.template, path, extra_mounts=mounts, allow_placeholders=job.template)


def _weight(template: dict[str, Any], most: int) -> int:
    """About how long judging it takes, in values; counted no further than `most`."""
    spec = body_or_empty(template.get("spec"))
    lists = (spec.get(field) for field in ("containers", "initContainers", "ephemeralContainers"))
    weight = _CONTAINER * sum(len(each) for each in lists if isinstance(each, list))
    waiting: list[Any] = [template]
    while waiting and weight <= most:
        value = waiting.pop()
        weight += 1
        if isinstance(value, dict | list):
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return weight
