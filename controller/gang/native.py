"""Kubernetes' own gangs: the Workload and PodGroup of scheduling.k8s.io that stand for one of ours (KEP-4671).

kube-scheduler then binds all of a group's minimum or none of it; queues, their limits and their order stay ours.
"""

from collections.abc import Mapping
from typing import Any, Final

from controller.decision import Action, Create, Patch
from controller.gang.detect import NATIVE_GROUP
from shared.kinds import PODGROUP, Kind

Body = dict[str, Any]
TEMPLATE: Final = "gang"
WORKLOAD_REF: Final = "workloadRef"
TEMPLATE_REF: Final = "podGroupTemplateRef"
FIXED: Final = frozenset({"v1alpha2"})
"""Versions in which the minimum of a PodGroup cannot be changed; later ones follow when tasks are released."""


def workload_kind(version: str) -> Kind:
    return Kind(f"{NATIVE_GROUP}/{version}", "Workload", "workloads")


def group_kind(version: str) -> Kind:
    return Kind(f"{NATIVE_GROUP}/{version}", "PodGroup", "podgroups")


def wanted_actions(version: str, group: Mapping[str, Any], workload: Body | None, native: Body | None) -> list[Action]:
    """What is missing, or out of line, of the two objects. `group`: our PodGroup as stored."""
    metadata, minimum = group["metadata"], max(1, int((group.get("spec") or {}).get("minMember") or 0))
    if metadata.get("deletionTimestamp"):
        return []
    actions: list[Action] = []
    priority = str((group.get("spec") or {}).get("priorityClassName") or "")
    if workload is None:
        actions.append(Create(workload_kind(version), _workload(version, metadata, minimum)))
    if native is None:
        actions.append(Create(group_kind(version), _group(version, metadata, minimum, priority)))
    elif version not in FIXED and _minimum(native) != minimum and not native["metadata"].get("deletionTimestamp"):
        patch = {"spec": {"schedulingPolicy": _policy(minimum)}}
        kind, name = group_kind(version), metadata["name"]
        actions.append(Patch(kind, metadata["namespace"], name, patch, uid=native["metadata"]["uid"]))
    return actions


def _workload(version: str, metadata: Body, minimum: int) -> Body:
    spec = {
        "controllerRef": {"apiGroup": PODGROUP.group, "kind": PODGROUP.kind, "name": metadata["name"]},
        "podGroupTemplates": [{"name": TEMPLATE, "schedulingPolicy": _policy(minimum)}],
    }
    return _object(workload_kind(version), metadata, spec)


def _group(version: str, metadata: Body, minimum: int, priority: str) -> Body:
    name = metadata["name"]
    reference: Body
    if version in FIXED:
        reference = {TEMPLATE_REF: {"workload": {"workloadName": name, "podGroupTemplateName": TEMPLATE}}}
    else:
        reference = {WORKLOAD_REF: {"workloadName": name, "templateName": TEMPLATE}}
    named: Body = {"priorityClassName": priority} if priority else {}
    return _object(group_kind(version), metadata, {**reference, **named, "schedulingPolicy": _policy(minimum)})


def _policy(minimum: int) -> Body:
    return {"gang": {"minCount": minimum}}


def _minimum(native: Body) -> int:
    policy = (native.get("spec") or {}).get("schedulingPolicy") or {}
    return int((policy.get("gang") or {}).get("minCount") or 0)


def _object(kind: Kind, metadata: Body, spec: Body) -> Body:
    owner = {
        "apiVersion": PODGROUP.api_version,
        "kind": PODGROUP.kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
    named = {"name": metadata["name"], "namespace": metadata["namespace"], "ownerReferences": [owner]}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": named, "spec": spec}
