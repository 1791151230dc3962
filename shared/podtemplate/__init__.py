"""Validates pod templates by Kubernetes' own rules, before an object that contains one is stored.

It checks types by Kubernetes' schemas and then the rules of `ValidatePodSpec`. All faults are reported at once, with
Kubernetes' messages and with paths in the user's object. Feature gates count with their defaults in Kubernetes
1.36: fields that the API server drops without their gate are not checked. A test compares the verdicts with kube-apiserver's.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from shared.podtemplate.containers import containers
from shared.podtemplate.field import Field
from shared.podtemplate.metadata import annotations, labels
from shared.podtemplate.pod import pod_fields
from shared.podtemplate.pod_annotations import pod_annotations
from shared.podtemplate.scheduling import scheduling
from shared.podtemplate.schema import CLAIM, wrong_types
from shared.podtemplate.volumes import claim_spec, volumes
from shared.violation import Violation

_PLACEHOLDER: Final = "$("


def check_template(
    template: Any,
    path: str,
    *,
    extra_volumes: Iterable[str] = (),
    extra_mounts: Sequence[str] = (),
    allow_placeholders: bool = False,
) -> tuple[Violation, ...]:
    """All reasons why the API server would refuse a pod from `template` (a raw PodTemplateSpec at `path`).

    `extra_volumes`, `extra_mounts`: names and mount paths of volumes that the Job adds to every container;
    `allow_placeholders`: texts that contain `$(` are incomplete (JobTemplates, patches) and are not checked.
    """
    types = tuple(wrong_types(template, path))
    rules = _rules(Field(path, template), frozenset(extra_volumes), tuple(extra_mounts))
    found = (*types, *(rules if isinstance(template, dict) else ()))
    if not allow_placeholders:
        return _unique(found)
    volume_list = Field(path, template).get("spec").get("volumes")
    open_volumes = any(_open(volume.get("name").value) for volume in volume_list.items)
    return _finished(found, types, open_volumes)


def check_claim(spec: Any, path: str, *, allow_placeholders: bool = False) -> tuple[Violation, ...]:
    """All reasons why the API server would refuse a claim with `spec` (a raw PersistentVolumeClaimSpec at `path`)."""
    types = tuple(wrong_types(spec, path, CLAIM))
    found = (*types, *(claim_spec(Field(path, spec)) if isinstance(spec, dict) else ()))
    return _finished(found, types) if allow_placeholders else _unique(found)


def _unique(found: Iterable[Violation]) -> tuple[Violation, ...]:
    return tuple({(fault.path, fault.text): fault for fault in found}.values())


def _finished(
    found: Iterable[Violation], types: Sequence[Violation], open_volumes: bool = False
) -> tuple[Violation, ...]:
    """Without the faults that replacing placeholders may remove."""
    open_paths = frozenset(fault.path for fault in types if _open(fault.value))
    return tuple(fault for fault in _unique(found) if not _unfinished(fault, open_paths, open_volumes))


def _rules(template: Field, extra_volumes: frozenset[str], extra_mounts: Sequence[str]) -> Iterator[Violation]:
    metadata, spec = template.get("metadata"), template.get("spec")
    yield from labels(metadata.get("labels"))
    yield from annotations(metadata.get("annotations"))
    yield from pod_annotations(metadata.get("annotations"), spec)
    yield from volumes(spec.get("volumes"))
    yield from containers(spec, extra_volumes, extra_mounts)
    yield from scheduling(spec, metadata.get("labels"))
    yield from pod_fields(spec)


def _unfinished(fault: Violation, open_paths: frozenset[str], open_volumes: bool) -> bool:
    """Whether replacing placeholders may remove the fault: it is in one, or it is a mount and a volume's name has one."""
    if open_volumes and ".volumeMounts[" in fault.path and fault.path.endswith(".name"):
        return True
    inside = any(fault.path == path or fault.path.startswith((f"{path}.", f"{path}[")) for path in open_paths)
    return inside or _open(fault.value)


def _open(value: Any) -> bool:
    return isinstance(value, str) and _PLACEHOLDER in value
