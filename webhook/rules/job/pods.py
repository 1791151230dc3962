"""The API server would accept the pods of a Job's pod templates (checked by shared.podtemplate)."""

from collections.abc import Iterator
from typing import Any, Final

from shared.podtemplate import check_template
from shared.violation import Reason, Violation
from webhook.subject.subjects import JobSubject, body_or_empty

_MOST: Final = 100_000  # maximum number of values in all pod templates; more could not be validated in time
_CONTAINER: Final = 40  # validating a container costs as much as this many plain values


def pod_templates_make_pods(job: JobSubject) -> Iterator[Violation]:
    mounts = tuple(volume.mount_path for volume in job.spec.volumes)
    left = _MOST
    for index, task in enumerate(job.tasks):
        path = f"spec.tasks[{index}].template"
        left -= _weight(task.template, left)
        if left < 0:
            message = f"the pod templates up to this task exceed the maximum of about {_MOST} values"
            yield Violation(path, message, reason=Reason.TOO_MANY)
            return
        yield from check_template(task.template, path, extra_mounts=mounts, allow_placeholders=job.template)


def _weight(template: dict[str, Any], most: int) -> int:
    """The estimated cost of validating the template, in values; counting stops at `most`."""
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
