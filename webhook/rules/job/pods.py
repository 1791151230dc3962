"""The API server would accept the pods of a Job's pod templates (checked by shared.podtemplate)."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from shared import names
from shared.podtemplate import check_template
from shared.podtemplate.unknown import unknown_pod_fields
from shared.violation import Reason, Violation
from webhook.hints.names import unknown_field_hint
from webhook.subject.subjects import JobSubject, body_or_empty

_KUBERNETES: Final = "default-scheduler"
_MOST: Final = 100_000  # maximum number of values in all pod templates; more could not be validated in time
_LISTED: Final = 20  # maximum number of unknown fields in the warnings of one object
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


def fields_that_no_pod_has(job: JobSubject) -> Iterator[str]:
    """Warn about misspelt fields in pod templates: the CRD keeps them, and they are dropped when pods are created."""
    if job.creating or job.template:
        found = list(islice(unknown_pod_fields(job.kind, job.raw), _LISTED + 1))
        for unknown in found[:_LISTED]:
            yield f"{unknown.path}: {unknown_field_hint(unknown.name, unknown.known)}"
        if len(found) > _LISTED:
            yield f"spec.tasks: more than {_LISTED} unknown fields"


def schedulers_that_are_not_known(job: JobSubject) -> Iterator[str]:
    """Warn about pods for a scheduler that this installation does not know: they stay Pending unless it runs."""
    known = (*job.scheduler_names, names.DEFAULT_SCHEDULER, _KUBERNETES)
    named = [("spec.schedulerName", job.spec.scheduler_name)]
    for index, task in enumerate(job.tasks):
        own = body_or_empty(task.template.get("spec")).get("schedulerName")
        named.append((f"spec.tasks[{index}].template.spec.schedulerName", own if isinstance(own, str) else ""))
    for path, name in named if job.scheduler_names and (job.creating or job.template) else ():
        if name and name not in known and not job.open(name):
            yield f'{path}: a scheduler "{name}" must run; known schedulers: {", ".join(dict.fromkeys(known))}'


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
