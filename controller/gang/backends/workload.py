"""The Workload and PodGroup of scheduling.k8s.io that mirror a PodGroup of scheduling.volcano.sh (KEP-4671).

kube-scheduler then binds all pods of a group's minimum or none. This controller enforces queues, their limits and their
order.
"""

from collections.abc import Mapping
from typing import Any, Final

from controller.decision import Action, Create, Decision, Delete, Note, Patch
from controller.gang.backends.detect import NATIVE_GROUP
from shared.codec.plural import number_of
from shared.kinds import PODGROUP, Kind
from shared.model.types import Body

TEMPLATE: Final = "gang"
WORKLOAD_REF: Final = "workloadRef"
TEMPLATE_REF: Final = "podGroupTemplateRef"
FIXED: Final = frozenset({"v1alpha2"})
"""Versions in which the minimum of a PodGroup cannot be changed."""
MINIMUM_KEPT: Final = "MinimumKept"


def workload_kind(version: str) -> Kind:
    return Kind(f"{NATIVE_GROUP}/{version}", "Workload", "workloads")


def group_kind(version: str) -> Kind:
    return Kind(f"{NATIVE_GROUP}/{version}", "PodGroup", "podgroups")


def decide(version: str, group: Mapping[str, Any], workload: Body | None, native: Body | None) -> Decision:
    """Create, update or delete the two objects. `group`: the PodGroup of scheduling.volcano.sh as stored.

    Objects of an earlier group of this name, before a Job was restarted, are deleted first: kube-scheduler could still use
    that PodGroup for the new pods. The Workload is created before the PodGroup, which the API server refuses without it.
    """
    metadata = group["metadata"]
    if metadata.get("deletionTimestamp"):
        return Decision()
    follows, notes = _following(version, group, native)
    found = ((workload_kind(version), workload), (group_kind(version), native))
    leftovers = [(kind, body["metadata"]) for kind, body in found if body is not None and _is_outdated(body, metadata)]
    if leftovers:
        deletes = [_delete(kind, each) for kind, each in leftovers if "deletionTimestamp" not in each]
        return Decision(actions=(*follows, *deletes))
    first = [Create(kind, _workload(version, group)) for kind, body in found[:1] if body is None]
    then = [Create(kind, _group(version, group)) for kind, body in found[1:] if body is None]
    return Decision(actions=(*follows, *first), cleanup=tuple(then), notes=notes)


def _following(
    version: str, group: Mapping[str, Any], native: Body | None
) -> tuple[tuple[Action, ...], tuple[Note, ...]]:
    """Update the minimum, also of an object that is being deleted and that pods still use; or an event, where the version
    does not allow it."""
    minimum, metadata = _minimum(group), group["metadata"]
    if native is None or _count(native) == minimum:
        return (), ()
    if version not in FIXED:
        patch = {"spec": {"schedulingPolicy": _policy(minimum)}}
        kind, name = group_kind(version), metadata["name"]
        return (Patch(kind, metadata["namespace"], name, patch, uid=native["metadata"]["uid"]),), ()
    message = (
        f"kube-scheduler still starts {number_of(_count(native), 'pod')} together, not {minimum}: "
        f"the minimum of a PodGroup of {NATIVE_GROUP}/{version} cannot be changed"
    )
    return (), (Note(MINIMUM_KEPT, message, "Warning"),)


def _is_outdated(body: Body, metadata: Body) -> bool:
    """Whether it belongs to another group, or is being deleted."""
    owners = body["metadata"].get("ownerReferences") or ()
    return "deletionTimestamp" in body["metadata"] or metadata["uid"] not in [each.get("uid") for each in owners]


def _delete(kind: Kind, metadata: Body) -> Delete:
    return Delete(kind, metadata["namespace"], metadata["name"], metadata["uid"])


def _workload(version: str, group: Mapping[str, Any]) -> Body:
    metadata = group["metadata"]
    spec = {
        "controllerRef": {"apiGroup": PODGROUP.group, "kind": PODGROUP.kind, "name": metadata["name"]},
        "podGroupTemplates": [{"name": TEMPLATE, **_common(version, group)}],
    }
    return _object(workload_kind(version), metadata, spec)


def _group(version: str, group: Mapping[str, Any]) -> Body:
    name = group["metadata"]["name"]
    reference: Body
    if version in FIXED:
        reference = {TEMPLATE_REF: {"workload": {"workloadName": name, "podGroupTemplateName": TEMPLATE}}}
    else:
        reference = {WORKLOAD_REF: {"workloadName": name, "templateName": TEMPLATE}}
    return _object(group_kind(version), group["metadata"], {**reference, **_common(version, group)})


def _common(version: str, group: Mapping[str, Any]) -> Body:
    """What Workload and PodGroup both state. Preemption ends the whole group, since a gang cannot run in part."""
    priority = str((group.get("spec") or {}).get("priorityClassName") or "")
    return {
        "schedulingPolicy": _policy(_minimum(group)),
        "disruptionMode": "PodGroup" if version in FIXED else {"all": {}},
        **({"priorityClassName": priority} if priority else {}),
    }


def _policy(minimum: int) -> Body:
    return {"gang": {"minCount": minimum}}


def _minimum(group: Mapping[str, Any]) -> int:
    """Kubernetes requires at least 1."""
    return max(1, int((group.get("spec") or {}).get("minMember") or 0))


def _count(native: Body) -> int:
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
