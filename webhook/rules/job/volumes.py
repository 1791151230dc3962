"""Volumes of a Job have a mount path and exactly one claim (docs/design/volcano-behaviour.md, section 2.3).

The API server would accept the claims that are created (checked by shared.podtemplate).
"""

from collections.abc import Iterator

from shared.podtemplate import check_claim
from shared.violation import Reason, Violation
from webhook.hints.names import subdomain_fault
from webhook.subject.subjects import JobSubject


def volumes_have_a_mount_path(job: JobSubject) -> Iterator[Violation]:
    for index, volume in enumerate(job.spec.volumes):
        if not volume.mount_path:
            yield Violation(f"spec.volumes[{index}].mountPath", "mountPath is required", reason=Reason.REQUIRED)
        elif ":" in volume.mount_path and not job.open(volume.mount_path):
            yield Violation(f"spec.volumes[{index}].mountPath", "must not contain ':'", volume.mount_path)


def volumes_are_mounted_apart(job: JobSubject) -> Iterator[Violation]:
    seen: set[str] = set()
    for index, volume in enumerate(job.spec.volumes):
        if volume.mount_path in seen:
            message = f"duplicated mountPath {volume.mount_path}"
            yield Violation(f"spec.volumes[{index}].mountPath", message, volume.mount_path, Reason.DUPLICATE)
        seen.add(volume.mount_path)


def volumes_name_one_claim(job: JobSubject) -> Iterator[Violation]:
    for index, volume in enumerate(job.spec.volumes):
        path = f"spec.volumes[{index}]"
        if volume.volume_claim is None and not volume.volume_claim_name:
            message = "either volumeClaim (a new claim) or volumeClaimName (an existing one) must be specified"
            yield Violation(path, message, reason=Reason.REQUIRED)
        elif volume.volume_claim is not None and volume.volume_claim_name and job.creating:
            message = "conflict: volumeClaim creates a new PVC, volumeClaimName uses an existing PVC; set one of them"
            yield Violation(f"{path}.volumeClaimName", message, volume.volume_claim_name)


def volume_claim_names_are_names(job: JobSubject) -> Iterator[Violation]:
    for index, volume in enumerate(job.spec.volumes):
        name = volume.volume_claim_name
        if name and not job.open(name) and (fault := subdomain_fault(name)):
            yield Violation(f"spec.volumes[{index}].volumeClaimName", f"invalid volumeClaimName: {fault}", name)


def volume_claims_can_be_created(job: JobSubject) -> Iterator[Violation]:
    for index, volume in enumerate(job.spec.volumes):
        if volume.volume_claim is not None:
            path = f"spec.volumes[{index}].volumeClaim"
            yield from check_claim(volume.volume_claim, path, allow_placeholders=job.template)
