"""Nodes: their allocatable resources, and which pods they admit (kube-scheduler's NodeAffinity, TaintToleration and
NodeUnschedulable)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from controller.gang.cache.amounts import Amounts, amounts_of
from controller.gang.cache.pod_requirements import (
    NodeConstraints,
    NodeSelectorTerm,
    PodToleration,
    SelectorRequirement,
)


class NodeTaint(msgspec.Struct, frozen=True):
    key: str
    value: str
    effect: str

    @property
    def passes(self) -> bool:
        """Whether Kubernetes sets and removes the taint with the node's condition, or `kubectl cordon` did."""
        return self.key.startswith(_CONDITIONS)


class NodeInfo(msgspec.Struct, frozen=True):
    """`taints`: those that keep pods out; being unschedulable is one of them."""

    name: str
    allocatable: Amounts
    labels: Mapping[str, str] = {}
    taints: tuple[NodeTaint, ...] = ()


_CONDITIONS: Final = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
_KEEP_OUT: Final = frozenset({"NoSchedule", "NoExecute"})
CORDON: Final = NodeTaint("node.kubernetes.io/unschedulable", "", "NoSchedule")


def node_info_of(body: Mapping[str, Any]) -> NodeInfo | None:
    """A stored Node; None while it does not report its resources."""
    status, spec = body.get("status") or {}, body.get("spec") or {}
    allocatable = amounts_of(status.get("allocatable") or status.get("capacity"))
    if not allocatable:
        return None
    taints = [
        NodeTaint(str(each.get("key", "")), str(each.get("value") or ""), str(each.get("effect", "")))
        for each in spec.get("taints") or ()
        if each.get("effect") in _KEEP_OUT
    ]
    cordon = [CORDON] if spec.get("unschedulable") and CORDON.key not in {taint.key for taint in taints} else []
    metadata = body["metadata"]
    return NodeInfo(metadata["name"], allocatable, metadata.get("labels") or {}, (*taints, *cordon))


def is_eligible(node: NodeInfo, constraints: NodeConstraints, *, in_any_condition: bool = False) -> bool:
    """Whether pods with these constraints may go to the node. `in_any_condition`: taints that pass are ignored."""
    taints = (taint for taint in node.taints if not (in_any_condition and taint.passes))
    return (
        all(any(_tolerates(each, taint) for each in constraints.tolerations) for taint in taints)
        and all(node.labels.get(key) == value for key, value in constraints.selector)
        and (constraints.terms is None or any(_selects(term, node) for term in constraints.terms))
    )


def why_none_is_eligible(nodes: Iterable[NodeInfo], constraints: NodeConstraints) -> str:
    """Which rule of the pods none of these nodes meets; "" if it is not one rule alone."""
    known, labels = tuple(nodes), dict(constraints.selector)
    if not known:
        return ""
    if not any(labels.items() <= dict(node.labels).items() for node in known):
        return f"no node has the labels {', '.join(f'{key}={value}' for key, value in labels.items())} (nodeSelector)"
    if constraints.terms is not None and not any(_selects(term, node) for node in known for term in constraints.terms):
        return "no node matches the required node affinity"
    if not any(
        is_eligible(node, NodeConstraints(tolerations=constraints.tolerations), in_any_condition=True) for node in known
    ):
        return "every node has a taint that the pods do not tolerate"
    return ""


def _tolerates(toleration: PodToleration, taint: NodeTaint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.operator == "Exists":
        return toleration.key in ("", taint.key)
    return toleration.key == taint.key and toleration.value == taint.value


def _selects(term: NodeSelectorTerm, node: NodeInfo) -> bool:
    fields = {"metadata.name": node.name}
    return bool(term.labels or term.fields) and (
        all(_holds(each, node.labels) for each in term.labels) and all(_holds(each, fields) for each in term.fields)
    )


def _holds(requirement: SelectorRequirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value in requirement.values
        case "NotIn":
            return value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt":
            return value is not None and _compares(requirement, value)
    return False


def _compares(requirement: SelectorRequirement, value: str) -> bool:
    try:
        left, right = int(value), int(requirement.values[0])
    except (ValueError, IndexError):
        return False
    return left > right if requirement.operator == "Gt" else left < right
