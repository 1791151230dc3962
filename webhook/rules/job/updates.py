"""Which fields of a Job may change after creation (docs/design/volcano-behaviour.md, section 2.4)."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import msgspec

from shared.model.job import JobSpec, TaskSpec, VolumeSpec
from shared.violation import Reason, Violation
from webhook.subject.subjects import JobSubject

_ALLOWED: Final = (
    "minAvailable, priorityClassName, suspend, activeDeadlineSeconds, tasks[*].replicas and tasks[*].minAvailable"
)
_MOST_LEAVES: Final = 10  # maximum number of differences reported for one field
_FREE: Final = frozenset(
    {"min_available", "priority_class_name", "suspend", "active_deadline_seconds", "tasks", "volumes"}
)
# What a queueing system sets in the pod templates of a suspended Job before it resumes the Job, as Kueue does.
_FREE_WHILE_SUSPENDED: Final = re.compile(
    r"spec\.tasks\[\d+]\.template\.(metadata(\.(labels|annotations)\b.*)?|spec\.(nodeSelector|tolerations|affinity|schedulingGates"
    r"|(c|initC)ontainers\[\d+]\.resources)\b.*)"
)
_FREE_OF_TASK: Final = frozenset({"replicas", "min_available"})


def tasks_are_neither_added_nor_removed(job: JobSubject) -> Iterator[Violation]:
    if job.old_spec is not None and len(job.old_spec.tasks or ()) != len(job.spec.tasks or ()):
        yield Violation("spec.tasks", "job updates may not add or remove tasks", reason=Reason.FORBIDDEN)


def job_fields_are_frozen(job: JobSubject) -> Iterator[Violation]:
    if job.old_spec is None:
        return
    for field in msgspec.structs.fields(JobSpec):
        if field.name not in _FREE:
            before, after = getattr(job.old_spec, field.name), getattr(job.spec, field.name)
            yield from _frozen(f"spec.{field.encode_name}", before, after)
    yield from _frozen("spec.volumes", _without_claims(job.old_spec.volumes), _without_claims(job.spec.volumes))


def task_fields_are_frozen(job: JobSubject) -> Iterator[Violation]:
    old, new = (job.old_spec.tasks or () if job.old_spec else ()), job.spec.tasks or ()
    if len(old) != len(new):
        return
    suspended = job.old_spec is not None and job.old_spec.suspend
    for index, (before, after) in enumerate(zip(old, new, strict=True)):
        for field in msgspec.structs.fields(TaskSpec):
            if field.name not in _FREE_OF_TASK:
                path = f"spec.tasks[{index}].{field.encode_name}"
                found = _frozen(path, getattr(before, field.name), getattr(after, field.name))
                yield from (each for each in found if not (suspended and _FREE_WHILE_SUSPENDED.fullmatch(each.path)))


def _without_claims(volumes: tuple[VolumeSpec, ...]) -> tuple[VolumeSpec, ...]:
    """Volumes without the claim names that the controller writes into the spec."""
    return tuple(
        msgspec.structs.replace(volume, volume_claim_name=None) if volume.volume_claim is not None else volume
        for volume in volumes
    )


def _frozen(path: str, before: Any, after: Any) -> Iterator[Violation]:
    """A violation for each value that differs, so that the message names the changed fields."""
    if before == after:
        return
    for leaf in islice(_changed(path, msgspec.to_builtins(before), msgspec.to_builtins(after)), _MOST_LEAVES):
        yield Violation(leaf, f"job updates may not change fields other than {_ALLOWED}", reason=Reason.FORBIDDEN)


def _changed(path: str, before: Any, after: Any) -> Iterator[str]:
    """The paths of values that differ. A list that has grown or shrunk is named as a whole."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            if key not in before or key not in after:
                yield _member(path, key)
            else:
                yield from _changed(_member(path, key), before[key], after[key])
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changed(f"{path}[{index}]", old, new)
    elif before != after:
        yield path


def _member(path: str, key: str) -> str:
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{key}]"
