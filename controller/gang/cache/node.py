"""Nodes: what they have, and who may come (kube-scheduler's NodeAffinity, TaintToleration, NodeUnschedulable)."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from controller.gang.cache.pod_requirements import Amounts, Place, Requirement, Term, Toleration, amounts_of


class Taint(msgspec.Struct, frozen=True):
    key: str
    value: str
    effect: str


class Node(msgspec.Struct, frozen=True):
    """`taints`: those that keep pods out; being unschedulable is one of them. `allocatable`: see Amounts."""

    name: str
    allocatable: Amounts
    labels: Mapping[str, str] = {}
    taints: tuple[Taint, ...] = ()


KEEPING_OUT: Final = frozenset({"NoSchedule", "NoExecute"})
CORDON: Final = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")


def node_of(body: Mapping[str, Any]) -> Node | None:
    """A stored Node; None while it does not say what it has."""
    status, spec = body.get("status") or {}, body.get("spec") or {}
    allocatable = amounts_of(status.get("allocatable") or status.get("capacity"))
    if not allocatable:
        return None
    taints = [
        Taint(str(each.get("key", "")), str(each.get("value") or ""), str(each.get("effect", "")))
        for each in spec.get("taints") or ()
        if each.get("effect") in KEEPING_OUT
    ]
    cordon = [CORDON] if spec.get("unschedulable") and CORDON.key not in {taint.key for taint in taints} else []
    metadata = body["metadata"]
    return Node(metadata["name"], allocatable, metadata.get("labels") or {}, (*taints, *cordon))


def admits(node: Node, place: Place) -> bool:
    """Whether pods of that place may be on the node at all."""
    return (
        all(any(_tolerates(each, taint) for each in place.tolerations) for taint in node.taints)
        and all(node.labels.get(key) == value for key, value in place.selector)
        and (place.terms is None or any(_holds(term, node) for term in place.terms))
    )


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.operator == "Exists":
        return toleration.key in ("", taint.key)
    return toleration.key == taint.key and toleration.value == taint.value


def _holds(term: Term, node: Node) -> bool:
    fields = {"metadata.name": node.name}
    return bool(term.labels or term.fields) and (
        all(_meets(each, node.labels) for each in term.labels) and all(_meets(each, fields) for each in term.fields)
    )


def _meets(requirement: Requirement, labels: Mapping[str, str]) -> bool:
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
            return value is not None and _compared(requirement, value)
    return False


def _compared(requirement: Requirement, value: str) -> bool:
    try:
        left, right = int(value), int(requirement.values[0])
    except (ValueError, IndexError):
        return False
    return left > right if requirement.operator == "Gt" else left < right
