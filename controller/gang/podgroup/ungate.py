"""Patches that let a pod go, and how pods are held to nodes until then."""

from collections.abc import Mapping
from typing import Any

from controller.decision import Patch
from controller.gang.cache.cache import Grant
from shared import names
from shared.kinds import POD
from shared.model.types import Body

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def is_gated_by_us_only(pod: Body) -> bool:
    gates = [each.get("name") for each in pod["spec"].get("schedulingGates") or ()]
    return gates == [names.GANG_GATE]


def without_gate(pod: Body) -> Body:
    """A pod to be created, without any scheduling gate."""
    return {**pod, "spec": {name: value for name, value in pod["spec"].items() if name != "schedulingGates"}}


def lift(grant: Grant, pod: Body) -> Patch:
    """Take our gate away, and only ours; first hold the pod to its node, if it has one.

    `pod`: as stored. A JSON patch, since a merge patch would replace the whole list of gates.
    """
    spec, member = pod.get("spec") or {}, grant.member
    gates = [each.get("name") for each in spec.get("schedulingGates") or ()]
    place = f"/spec/schedulingGates/{gates.index(names.GANG_GATE) if names.GANG_GATE in gates else 0}"
    patch: list[Body] = [
        {"op": "test", "path": f"{place}/name", "value": names.GANG_GATE},
        {"op": "remove", "path": place},
    ]
    if grant.node:
        pinned = {"op": "add", "path": "/spec/affinity", "value": held_to(grant.node, spec.get("affinity") or {})}
        patch = [pinned, *patch]
    return Patch(POD, member.ref.namespace, member.ref.name, patch, uid=member.uid)


def held_to(node: str, affinity: Body) -> Body:
    """The affinity narrowed to one node, in the only way that Kubernetes takes of a gated pod: every term that is there
    gets the field added, for terms are alternatives."""
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    nodes = affinity.get("nodeAffinity") or {}
    terms = (nodes.get(REQUIRED) or {}).get("nodeSelectorTerms") or [{}]
    narrowed = [{**term, "matchFields": [*(term.get("matchFields") or ()), field]} for term in terms]
    return {**affinity, "nodeAffinity": {**nodes, REQUIRED: {"nodeSelectorTerms": narrowed}}}


def schedulable(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The pod spec without nodeName, which a gated pod cannot have: held to the node by affinity instead, and let onto it
    by whatever keeps other pods out, since a pod that names its node does not ask."""
    node = spec.get("nodeName")
    if not node:
        return spec
    passing = {"operator": "Exists", "effect": "NoSchedule"}
    rest = {name: value for name, value in spec.items() if name != "nodeName"}
    tolerations = [*(spec.get("tolerations") or ()), passing]
    return {**rest, "affinity": held_to(node, spec.get("affinity") or {}), "tolerations": tolerations}
