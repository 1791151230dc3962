"""Kubernetes' own gangs: the Workload and PodGroup of scheduling.k8s.io that stand for one of ours (KEP-4671).

kube-scheduler then binds all of a group's minimum or none of it; queues, their limits and their order stay ours.
"""

from collections.abc import Mapping
from typing import Any, Final

from controller.decision import Action, Create, Decision, Delete, Note, Patch
from controller.gang.backends.detect import NATIVE_GROUP
from shared.kinds import PODGROUP, Kind
from shared.model.types import Body

TEMPLATE: Final = "gang"
WORKLOAD_REF: Final = "workloadRef"
TEMPLATE_REF: Final = "podGroupTemplateRef"
FIXED: Final = frozenset({"v1alpha2"})
"""Versions in which the minimum of a PodGroup cannot be changed; later ones follow when tasks are released."""
MINIMUM_KEPT: Final = "MinimumKept"


def workload_kind(version: str) -> Kind:
    return Kind(f"{NATIVE_GROUP}/{version}", "Workload", "workloads")


def group_kind(version: str) -> Kind:
    return Kind(f"{NATIVE_GROUP}/{version}", "PodGroup", "podgroups")


def wanted(version: str, group: Mapping[str, Any], workload: Body | None, native: Body | None) -> Decision:
    """What is missing, out of line or left over of the two objects. `group`: our PodGroup as stored.

    Those of an earlier group of this name (of a Job that was restarted) go first: kube-scheduler may still use that
    PodGroup for the new pods, and nobody would make one again once it is gone. The Workload comes before the PodGroup,
    which the API server refuses without it.
    """
    metadata = group["metadata"]
    if metadata.get("deletionTimestamp"):
        return Decision()
    follows, notes = _following(version, group, native)
    found = ((workload_kind(version), workload), (group_kind(version), native))
    leftovers = [(kind, body["metadata"]) for kind, body in found if body is not None and _is_left(body, metadata)]
    if leftovers:
        deletes = [_delete(kind, each) for kind, each in leftovers if "deletionTimestamp" not in each]
        return Decision(actions=(*follows, *deletes))
    first = [Create(kind, _workload(version, group)) for kind, body in found[:1] if body is None]
    then = [Create(kind, _group(version, group)) for kind, body in found[1:] if body is None]
    return Decision(actions=(*follows, *first), cleanup=tuple(then), notes=notes)


def _following(
    version: str, group: Mapping[str, Any], native: Body | None
) -> tuple[tuple[Action, ...], tuple[Note, ...]]:
    """The minimum, also of one on its way out that pods still use; where it is fixed, a word about it."""
    minimum, metadata = _minimum(group), group["metadata"]
    if native is None or _count(native) == minimum:
        return (), ()
    if version not in FIXED:
        patch = {"spec": {"schedulingPolicy": _policy(minimum)}}
        kind, name = group_kind(version), metadata["name"]
        return (Patch(kind, metadata["namespace"], name, patch, uid=native["metadata"]["uid"]),), ()
    message = (
        f"kube-scheduler goes on starting {_count(native)} pods together, not {minimum}: "
        f"a PodGroup of {NATIVE_GROUP}/{version} keeps the minimum that it was created with"
    )
    return (), (Note(MINIMUM_KEPT, message, "Warning"),)


def _is_left(body: Body, metadata: Body) -> bool:
    """Whether it is of another group than this one, or on its way out."""
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
    """What the template and the group both say. Preemption takes the whole group: half a gang is of no use."""
    priority = str((group.get("spec") or {}).get("priorityClassName") or "")
    return {
        "schedulingPolicy": _policy(_minimum(group)),
        "disruptionMode": "PodGroup" if version in FIXED else {"all": {}},
        **({"priorityClassName": priority} if priority else {}),
    }


def _policy(minimum: int) -> Body:
    return {"gang": {"minCount": minimum}}


def _minimum(group: Mapping[str, Any]) -> int:
    """Kubernetes knows no gang of none."""
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
