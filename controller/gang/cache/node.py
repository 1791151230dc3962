"""Nodes: their allocatable resources, and which pods they admit (kube-scheduler's NodeAffinity, TaintToleration and
NodeUnschedulable)."""

from collections.abc import Iterable, Mapping, Sequence
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

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"

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
_MOST_NAMED: Final = 3  # taints in one message
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
    return all(_is_tolerated(taint, constraints) for taint in taints) and _matches(node, constraints)


def why_none_is_eligible(nodes: Iterable[NodeInfo], constraints: NodeConstraints) -> str:
    """Why pods with these constraints may go to none of the nodes, in any condition of them; "" if there are no nodes."""
    known, labels = tuple(nodes), dict(constraints.selector)
    if not known:
        return ""
    if not any(labels.items() <= dict(node.labels).items() for node in known):
        return f"no node has the labels {', '.join(f'{key}={value}' for key, value in labels.items())} (nodeSelector)"
    if constraints.terms is not None and not any(_selects(term, node) for node in known for term in constraints.terms):
        named = _named_only(constraints.terms)
        if named and named.isdisjoint(node.name for node in known):
            return f"no node is called {' or '.join(sorted(named))}"
        return "no node matches the required node affinity"
    if not any(_matches(node, constraints) for node in known):
        return "no node has both the labels of the nodeSelector and the required node affinity"
    number, taints = kept_out(known, constraints)
    which = "every node" if number == len(known) else "every node that matches nodeSelector and affinity"
    return f"{which} has a taint that the pods do not tolerate: {taints}"


def kept_out(nodes: Iterable[NodeInfo], constraints: NodeConstraints) -> tuple[int, str]:
    """How many nodes only their taints keep the pods from, other than taints that pass, and the names of these taints."""
    number, taints = 0, dict[str, None]()
    for node in nodes:
        found = [taint for taint in node.taints if not taint.passes and not _is_tolerated(taint, constraints)]
        if found and _matches(node, constraints):
            number += 1
            taints.update(dict.fromkeys(map(str, found)))
    return number, _listed(list(taints))


def _is_tolerated(taint: NodeTaint, constraints: NodeConstraints) -> bool:
    return any(_tolerates(each, taint) for each in constraints.tolerations)


def _matches(node: NodeInfo, constraints: NodeConstraints) -> bool:
    """Whether the node has what nodeSelector and required node affinity ask for."""
    return all(node.labels.get(key) == value for key, value in constraints.selector) and (
        constraints.terms is None or any(_selects(term, node) for term in constraints.terms)
    )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _named_only(terms: Sequence[NodeSelectorTerm]) -> set[str]:
    """The names of the nodes that the terms allow, as for a pod with nodeName; none if a term names no node."""
    names = [{name for each in term.fields if each.operator == "In" for name in each.values} for term in terms]
    return set().union(*names) if all(names) else set()


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
