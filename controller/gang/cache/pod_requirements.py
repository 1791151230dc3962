"""What matters of a pod for finding it a place: its requests, and which nodes it may go to."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
import orjson

from controller.gang.cache.exclusive_resources import exclusive, is_exclusive
from shared.model.types import ReadOnlyBody
from shared.quantity import Quantity, QuantityError, quantity
from shared.resources import pod_requests

Amounts = dict[str, int]
"""Resource -> thousandths of a CPU, or whole units of anything else, as kube-scheduler counts."""

PODS: Final = "pods"
CPU: Final = "cpu"
_LASTING: Final = frozenset({"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})


class Requirement(msgspec.Struct, frozen=True):
    """One expression of a node selector term. `operator`: as in the API."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


class Term(msgspec.Struct, frozen=True):
    """`labels` and `fields` must all hold; a term without any holds nowhere."""

    labels: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()


class Toleration(msgspec.Struct, frozen=True):
    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""


class Place(msgspec.Struct, frozen=True):
    """Which nodes will do: nodeSelector, required node affinity (None: no such rule), tolerations."""

    selector: tuple[tuple[str, str], ...] = ()
    terms: tuple[Term, ...] | None = None
    tolerations: tuple[Toleration, ...] = ()


class Shape(msgspec.Struct, frozen=True):
    """Pods of one shape are interchangeable. `requests`: of a node; sorted, always with one of `pods`, and with what only
    one pod of a node can have (controller.gang.cache.exclusive_resources); `amounts`: of the cluster, without those."""

    requests: tuple[tuple[str, int], ...]
    place: Place = Place()

    @property
    def amounts(self) -> Amounts:
        return {name: amount for name, amount in self.requests if not is_exclusive(name)}


def shape_of(pod: ReadOnlyBody) -> Shape:
    """The shape of a pod or pod template. Total: what is malformed counts as absent."""
    spec = pod.get("spec") or {}
    essence = {
        "containers": [_resources(each) for each in spec.get("containers") or ()],
        "initContainers": [_resources(each) for each in spec.get("initContainers") or ()],
        **{
            key: spec[key]
            for key in ("overhead", "resources", "nodeSelector", "affinity", "tolerations")
            if spec.get(key)
        },
    }
    return _shape(orjson.dumps(essence, option=orjson.OPT_SORT_KEYS), tuple(exclusive(pod)))


def amounts_of(raw: Any) -> Amounts:
    """A resource list in our units; what is no quantity is left out."""
    found = {}
    for name, value in raw.items() if isinstance(raw, Mapping) else ():
        try:
            found[str(name)] = units(str(name), quantity(value))
        except QuantityError:
            continue
    return found


def units(name: str, amount: Quantity) -> int:
    return amount.milli if name == CPU else amount.value


def text(name: str, amount: int) -> str:
    """An amount for people: `1500m`, `4`, `12Gi`."""
    if name == CPU:
        return f"{amount}m" if amount % 1000 else str(amount // 1000)
    for suffix, size in (("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20)):
        if abs(amount) >= size:
            return f"{amount / size:.4g}{suffix}"
    return str(amount)


def words(amounts: Mapping[str, int], only: Iterable[str] | None = None) -> str:
    """`cpu 10, memory 4Gi`."""
    return ", ".join(f"{name} {text(name, amounts.get(name, 0))}" for name in sorted(amounts if only is None else only))


def added(first: Mapping[str, int], second: Mapping[str, int]) -> Amounts:
    return {name: first.get(name, 0) + second.get(name, 0) for name in {**first, **second}}


def total(shapes: Iterable[tuple[Shape, int]]) -> Amounts:
    amounts: Amounts = {}
    for shape, count in shapes:
        for name, amount in shape.amounts.items():
            amounts[name] = amounts.get(name, 0) + amount * count
    return amounts


def _resources(container: ReadOnlyBody) -> ReadOnlyBody:
    return {key: container[key] for key in ("resources", "restartPolicy") if container.get(key)}


@lru_cache(maxsize=8192)
def _shape(essence: bytes, alone: tuple[str, ...]) -> Shape:
    spec = orjson.loads(essence)
    needs = {name: units(name, amount) for name, amount in pod_requests({"spec": spec}).items()}
    needs = {name: amount for name, amount in needs.items() if amount > 0} | {PODS: 1} | dict.fromkeys(alone, 1)
    return Shape(tuple(sorted(needs.items())), _place(spec))


def _place(spec: ReadOnlyBody) -> Place:
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    terms = None if affinity is None else tuple(_term(each) for each in affinity.get("nodeSelectorTerms") or ())
    selector = tuple(sorted((key, str(value)) for key, value in (spec.get("nodeSelector") or {}).items()))
    return Place(selector, terms, tuple(_tolerations(spec.get("tolerations") or ())))


def _term(raw: ReadOnlyBody) -> Term:
    return Term(_requirements(raw.get("matchExpressions") or ()), _requirements(raw.get("matchFields") or ()))


def _requirements(raw: Sequence[ReadOnlyBody]) -> tuple[Requirement, ...]:
    return tuple(
        Requirement(str(each.get("key", "")), str(each.get("operator", "")), tuple(map(str, each.get("values") or ())))
        for each in raw
    )


def _tolerations(raw: Sequence[ReadOnlyBody]) -> Iterable[Toleration]:
    """Without those that the API server gives to every pod: they let it stay on a node, not come to it."""
    for each in raw:
        if each.get("key") in _LASTING and each.get("effect") == "NoExecute":
            continue
        yield Toleration(
            key=str(each.get("key") or ""),
            operator=str(each.get("operator") or "Equal"),
            value=str(each.get("value") or ""),
            effect=str(each.get("effect") or ""),
        )
