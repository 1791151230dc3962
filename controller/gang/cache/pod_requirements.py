"""The requirements of a pod: its requests and the nodes on which it may run."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
import orjson

from controller.gang.cache.amounts import Amounts, to_units
from controller.gang.cache.exclusive_resources import exclusive_resources, is_exclusive
from shared.model.types import Body
from shared.resources import pod_requests

PODS: Final = "pods"
_ADDED_BY_API_SERVER: Final = frozenset({"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})


class SelectorRequirement(msgspec.Struct, frozen=True):
    """One expression of a node selector term. `operator`: as in the API."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


class NodeSelectorTerm(msgspec.Struct, frozen=True):
    """All of `labels` and `fields` must hold; a term without any selects no node."""

    labels: tuple[SelectorRequirement, ...] = ()
    fields: tuple[SelectorRequirement, ...] = ()


class PodToleration(msgspec.Struct, frozen=True):
    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""


class NodeConstraints(msgspec.Struct, frozen=True):
    """Which nodes are eligible: nodeSelector, required node affinity (`terms`; None: no such rule) and tolerations."""

    selector: tuple[tuple[str, str], ...] = ()
    terms: tuple[NodeSelectorTerm, ...] | None = None
    tolerations: tuple[PodToleration, ...] = ()


class PodRequirements(msgspec.Struct, frozen=True):
    """Pods with equal requirements are interchangeable. `requests`: sorted; always with 1 of `pods`, and with 1 of each
    exclusive resource."""

    requests: tuple[tuple[str, int], ...]
    constraints: NodeConstraints = NodeConstraints()

    @property
    def amounts(self) -> Amounts:
        """The requests that queues count: without exclusive resources."""
        return {name: amount for name, amount in self.requests if not is_exclusive(name)}


def requirements_of(pod: Mapping[str, Any]) -> PodRequirements:
    """The requirements of a pod or pod template. Malformed fields count as absent."""
    spec = pod.get("spec") or {}
    relevant = {
        "containers": [_resources(each) for each in spec.get("containers") or ()],
        "initContainers": [_resources(each) for each in spec.get("initContainers") or ()],
        **{
            key: spec[key]
            for key in ("overhead", "resources", "nodeSelector", "affinity", "tolerations")
            if spec.get(key)
        },
    }
    return _parsed(orjson.dumps(relevant, option=orjson.OPT_SORT_KEYS), tuple(exclusive_resources(pod)))


def total(pods: Iterable[tuple[PodRequirements, int]]) -> Amounts:
    amounts: Amounts = {}
    for requirements, count in pods:
        for name, amount in requirements.amounts.items():
            amounts[name] = amounts.get(name, 0) + amount * count
    return amounts


def _resources(container: Body) -> Body:
    return {key: container[key] for key in ("resources", "restartPolicy") if container.get(key)}


@lru_cache(maxsize=8192)
def _parsed(relevant: bytes, exclusive: tuple[str, ...]) -> PodRequirements:
    spec = orjson.loads(relevant)
    requests = {name: to_units(name, amount) for name, amount in pod_requests({"spec": spec}).items()}
    requests = {name: amount for name, amount in requests.items() if amount > 0}
    return PodRequirements(
        tuple(sorted((requests | {PODS: 1} | dict.fromkeys(exclusive, 1)).items())), _constraints(spec)
    )


def _constraints(spec: Body) -> NodeConstraints:
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    terms = None if affinity is None else tuple(_term(each) for each in affinity.get("nodeSelectorTerms") or ())
    selector = tuple(sorted((key, str(value)) for key, value in (spec.get("nodeSelector") or {}).items()))
    return NodeConstraints(selector, terms, tuple(_tolerations(spec.get("tolerations") or ())))


def _term(raw: Body) -> NodeSelectorTerm:
    return NodeSelectorTerm(
        _requirements(raw.get("matchExpressions") or ()), _requirements(raw.get("matchFields") or ())
    )


def _requirements(raw: Sequence[Body]) -> tuple[SelectorRequirement, ...]:
    return tuple(
        SelectorRequirement(
            str(each.get("key", "")), str(each.get("operator", "")), tuple(map(str, each.get("values") or ()))
        )
        for each in raw
    )


def _tolerations(raw: Sequence[Body]) -> Iterable[PodToleration]:
    """Without those that the API server adds to every pod: they let a pod stay on a node, and do not let it come."""
    for each in raw:
        if each.get("key") in _ADDED_BY_API_SERVER and each.get("effect") == "NoExecute":
            continue
        yield PodToleration(
            key=str(each.get("key") or ""),
            operator=str(each.get("operator") or "Equal"),
            value=str(each.get("value") or ""),
            effect=str(each.get("effect") or ""),
        )
