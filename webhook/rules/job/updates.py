"""Which fields of a Job may change after creation (docs/design/volcano-behaviour.md, section 2.4)."""

from collections.abc import Iterator
from typing import Final

import msgspec

from shared.model.job import JobSpec, TaskSpec, VolumeSpec
from shared.violation import Reason, Violation
from webhook.subject.subjects import JobSubject

_ALLOWED: Final = "minAvailable, priorityClassName, tasks[*].replicas and tasks[*].minAvailable"
_FREE: Final = frozenset({"min_available", "priority_class_name", "tasks", "volumes"})
_FREE_OF_TASK: Final = frozenset({"replicas", "min_available"})


def tasks_are_neither_added_nor_removed(job: JobSubject) -> Iterator[Violation]:
    if job.old_spec is not None and len(job.old_spec.tasks or ()) != len(job.spec.tasks or ()):
        yield Violation("spec.tasks", "job updates may not add or remove tasks", reason=Reason.FORBIDDEN)


def job_fields_are_frozen(job: JobSubject) -> Iterator[Violation]:
    if job.old_spec is None:
        return
    for field in msgspec.structs.fields(JobSpec):
        if field.name not in _FREE and getattr(job.old_spec, field.name) != getattr(job.spec, field.name):
            yield _frozen(f"spec.{field.encode_name}")
    if _without_claims(job.old_spec.volumes) != _without_claims(job.spec.volumes):
        yield _frozen("spec.volumes")


def task_fields_are_frozen(job: JobSubject) -> Iterator[Violation]:
    old, new = (job.old_spec.tasks or () if job.old_spec else ()), job.spec.tasks or ()
    if len(old) != len(new):
        return
    for index, (before, after) in enumerate(zip(old, new, strict=True)):
        for field in msgspec.structs.fields(TaskSpec):
            if field.name not in _FREE_OF_TASK and getattr(before, field.name) != getattr(after, field.name):
                yield _frozen(f"spec.tasks[{index}].{field.encode_name}")


def _without_claims(volumes: tuple[VolumeSpec, ...]) -> tuple[VolumeSpec, ...]:
    """Volumes without the claim names that the controller writes into the spec."""
    return tuple(
        msgspec.structs.replace(volume, volume_claim_name=None) if volume.volume_claim is not None else volume
        for volume in volumes
    )


def _frozen(path: str) -> Violation:
    return Violation(path, f"job updates may not change fields other than {_ALLOWED}", reason=Reason.FORBIDDEN)
