"""The resources of pods, computed as the Kubernetes scheduler and ResourceQuota compute them.

The rules are those of component-helpers/resource and quota/v1. Malformed amounts count as zero; `shared.podtemplate`
reports them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from shared.quantity import NANO, ZERO, Quantity, QuantityError, quantity

Amounts = dict[str, Quantity]

_NATIVE: Final = ("cpu", "memory", "ephemeral-storage")
_POD_LEVEL: Final = ("cpu", "memory")  # with huge pages: the resources that spec.resources may set for the whole pod
_ONE: Final = Quantity(NANO)


class GangTask(msgspec.Struct, frozen=True):
    """A task's part of the gang. `min_available` None: all replicas; `priority`: of its PriorityClass."""

    replicas: int
    min_available: int | None
    template: Mapping[str, Any]
    priority: int = 0

    @property
    def wanted(self) -> int:
        return self.replicas if self.min_available is None else self.min_available


def pod_requests(pod: Mapping[str, Any]) -> Amounts:
    """The free resources that a node must have for this pod (or template)."""
    spec = _map(pod.get("spec"))
    needs = _whole_pod(spec, _requests)
    levels = _requests(spec)
    needs |= {name: levels[name] for name in levels if _for_whole_pods(name) and _sets(spec, name, needs)}
    return add(needs, _amounts(spec.get("overhead")))


def pod_limits(pod: Mapping[str, Any]) -> Amounts:
    """The limits of this pod (or template), for the resources that have one."""
    spec = _map(pod.get("spec"))
    caps = _whole_pod(spec, _limits)
    caps |= {name: amount for name, amount in _limits(spec).items() if _for_whole_pods(name)}
    return add(caps, {name: amount for name, amount in _amounts(spec.get("overhead")).items() if caps.get(name)})


def pod_usage(pod: Mapping[str, Any]) -> Amounts:
    """The usage that a ResourceQuota counts for one unfinished pod, by the keys of quotas.

    Extended resources appear twice: as `requests.X` for quotas, and as `X` for Volcano's PodGroups.
    """
    usage: Amounts = {"count/pods": _ONE, "pods": _ONE}
    for name, amount in pod_requests(pod).items():
        usage[name] = usage[f"requests.{name}"] = amount
    for name, amount in pod_limits(pod).items():
        if name in _NATIVE:
            usage[f"limits.{name}"] = amount
    return usage


def min_resources(tasks: Sequence[GangTask], min_available: int) -> dict[str, str]:
    """PodGroup.spec.minResources: the usage of the `min_available` pods that start first.

    See docs/design/volcano-behaviour.md, section 3.10.
    """
    ordered = sorted(tasks, key=lambda task: -task.priority)
    total: Amounts = {}
    for task, count in zip(ordered, gang_counts(ordered, min_available), strict=True):
        if count:
            total = add(total, scale(pod_usage(task.template), count))
    return as_text(total)


def gang_counts(tasks: Sequence[GangTask], min_available: int) -> list[int]:
    """The number of pods of each task in the gang's minimum. `tasks`: in order of priority.

    The minimums of the tasks come first. If the gang's minimum is below their sum, priority alone decides.
    """
    everything = [task.replicas for task in tasks]
    minimums = [min(task.wanted, task.replicas) for task in tasks]
    first = minimums if min_available >= sum(task.wanted for task in tasks) else everything
    counts = [0] * len(tasks)
    for targets in (first, everything):
        for index, target in enumerate(targets):
            left = min_available - sum(counts)
            counts[index] += max(min(target - counts[index], left), 0)
    return counts


def add(first: Mapping[str, Quantity], second: Mapping[str, Quantity]) -> Amounts:
    return {name: first.get(name, ZERO) + second.get(name, ZERO) for name in {**first, **second}}


def scale(amounts: Mapping[str, Quantity], times: int) -> Amounts:
    return {name: amount * times for name, amount in amounts.items()}


def most(first: Mapping[str, Quantity], second: Mapping[str, Quantity]) -> Amounts:
    return {name: max(first.get(name, ZERO), second.get(name, ZERO)) for name in {**first, **second}}


def as_text(amounts: Mapping[str, Quantity]) -> dict[str, str]:
    """Canonical quantities by name, sorted, so that equal amounts give equal objects."""
    return {name: str(amounts[name]) for name in sorted(amounts)}


def _whole_pod(spec: Mapping[str, Any], of: Any) -> Amounts:
    """Containers run together; init containers run one by one, beside the sidecars that started before them."""
    running: Amounts = {}
    for container in _maps(spec.get("containers")):
        running = add(running, of(container))
    sidecars: Amounts = {}
    starting: Amounts = {}
    for container in _maps(spec.get("initContainers")):
        if container.get("restartPolicy") == "Always":
            sidecars = add(sidecars, of(container))
            starting = most(starting, sidecars)
        else:
            starting = most(starting, add(sidecars, of(container)))
    return most(add(running, sidecars), starting)


def _requests(holder: Mapping[str, Any]) -> Amounts:
    """Requests of a container or of spec.resources. A limit without a request is also the request, as in Kubernetes."""
    return {**_limits(holder), **_amounts(_map(holder.get("resources")).get("requests"))}


def _limits(holder: Mapping[str, Any]) -> Amounts:
    return _amounts(_map(holder.get("resources")).get("limits"))


def _for_whole_pods(name: str) -> bool:
    return name in _POD_LEVEL or name.startswith("hugepages-")


def _sets(spec: Mapping[str, Any], name: str, containers: Amounts) -> bool:
    """A pod-level request always counts; a pod-level limit counts as a request only if no container has one."""
    return name in _map(_map(spec.get("resources")).get("requests")) or name not in containers


def _amounts(raw: Any) -> Amounts:
    return {str(name): amount for name, value in _map(raw).items() if (amount := _amount(value)) is not None}


def _amount(raw: Any) -> Quantity | None:
    try:
        return quantity(raw)
    except QuantityError:
        return None


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _maps(value: Any) -> Iterable[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else ()
