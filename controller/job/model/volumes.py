"""`spec.volumes`: claims to create, claims to wait for, and their mounts in every container.

Claims have fixed names and init containers get the mounts too (docs/design/decisions.md, row 18 and row 19).
"""

from collections.abc import Iterator
from functools import partial

from controller.decision import Create
from controller.plugin_api import map_containers, with_mount, with_volume
from shared.kinds import PVC
from shared.model.job import Job, VolumeSpec
from shared.model.types import Body
from shared.naming import claim_name


def claim_of(job: Job, index: int, volume: VolumeSpec) -> str:
    """The name of the claim, or "" for a volume without a claim, which becomes an emptyDir."""
    if volume.volume_claim_name:
        return volume.volume_claim_name
    return claim_name(job.metadata.name, index) if volume.volume_claim is not None else ""


def claims_to_make(job: Job, existing: frozenset[str], owner: Body) -> Iterator[Create]:
    for index, volume in enumerate(job.spec.volumes):
        name = claim_of(job, index, volume)
        if volume.volume_claim is not None and name not in existing:
            metadata = {"name": name, "namespace": job.metadata.namespace, "ownerReferences": [owner]}
            body = {"apiVersion": PVC.api_version, "kind": PVC.kind, "metadata": metadata, "spec": volume.volume_claim}
            yield Create(PVC, body)


def missing_claims(job: Job, existing: frozenset[str]) -> tuple[str, ...]:
    """Claims that the user has to create and that do not exist."""
    named = (volume.volume_claim_name or "" for volume in job.spec.volumes if volume.volume_claim is None)
    return tuple(dict.fromkeys(name for name in named if name and name not in existing))


def claims(job: Job) -> tuple[str, ...]:
    """Claims that the controller creates for the Job."""
    return tuple(
        claim_of(job, index, volume) for index, volume in enumerate(job.spec.volumes) if volume.volume_claim is not None
    )


def mounted(pod: Body, job: Job) -> Body:
    """The pod with every volume. A claim that is mounted twice is one volume."""
    for index, volume in enumerate(job.spec.volumes):
        claim = claim_of(job, index, volume)
        name = _volume_name(job, claim, index)
        source: Body = {"persistentVolumeClaim": {"claimName": claim}} if claim else {"emptyDir": {}}
        mount = {"name": name, "mountPath": volume.mount_path}
        pod = map_containers(with_volume(pod, {"name": name, **source}), partial(with_mount, mount=mount))
    return pod


def _volume_name(job: Job, claim: str, index: int) -> str:
    """Named after the first volume with that claim, because a claim name need not be a valid volume name."""
    names = [claim_of(job, position, volume) for position, volume in enumerate(job.spec.volumes)]
    return f"job-volume-{names.index(claim) if claim else index}"
