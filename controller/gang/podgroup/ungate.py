"""Our scheduling gate: how pods get it, and the patches that remove it."""

from collections.abc import Mapping
from typing import Any

from controller.decision import Patch
from controller.gang.cache.pod import Ungating
from shared import names
from shared.kinds import POD
from shared.model.types import Body

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def has_only_our_gate(pod: Body) -> bool:
    gates = [each.get("name") for each in pod["spec"].get("schedulingGates") or ()]
    return gates == [names.GANG_GATE]


def without_gates(pod: Body) -> Body:
    """A pod to be created, without any scheduling gate."""
    return {**pod, "spec": {name: value for name, value in pod["spec"].items() if name != "schedulingGates"}}


def ungate_patch(ungating: Ungating, stored: Body) -> Patch:
    """Remove our gate and no other; before that, pin the pod to its node, if it has one.

    A JSON patch, since a merge patch would replace the whole list of gates.
    """
    spec, pod = stored.get("spec") or {}, ungating.pod
    gates = [each.get("name") for each in spec.get("schedulingGates") or ()]
    path = f"/spec/schedulingGates/{gates.index(names.GANG_GATE) if names.GANG_GATE in gates else 0}"
    patch: list[Body] = [
        {"op": "test", "path": f"{path}/name", "value": names.GANG_GATE},
        {"op": "remove", "path": path},
    ]
    if ungating.node:
        affinity = pinned_affinity(ungating.node, spec.get("affinity") or {})
        patch = [{"op": "add", "path": "/spec/affinity", "value": affinity}, *patch]
    return Patch(POD, pod.key.namespace, pod.key.name, patch, uid=pod.uid)


def pinned_affinity(node: str, affinity: Body) -> Body:
    """The affinity narrowed to one node, in the only way that Kubernetes allows for a gated pod: the field is added to every
    term, since terms are alternatives."""
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    nodes = affinity.get("nodeAffinity") or {}
    terms = (nodes.get(REQUIRED) or {}).get("nodeSelectorTerms") or [{}]
    narrowed = [{**term, "matchFields": [*(term.get("matchFields") or ()), field]} for term in terms]
    return {**affinity, "nodeAffinity": {**nodes, REQUIRED: {"nodeSelectorTerms": narrowed}}}


def without_node_name(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The pod spec with nodeName, which a gated pod cannot have, replaced by affinity to the node and a toleration: a pod
    that names its node ignores taints."""
    node = spec.get("nodeName")
    if not node:
        return spec
    every_taint = {"operator": "Exists", "effect": "NoSchedule"}
    rest = {name: value for name, value in spec.items() if name != "nodeName"}
    tolerations = [*(spec.get("tolerations") or ()), every_taint]
    return {**rest, "affinity": pinned_affinity(node, spec.get("affinity") or {}), "tolerations": tolerations}
