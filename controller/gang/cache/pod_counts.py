"""Counts of a group's pods, updated incrementally, because counting a thousand pods at each change would be slow."""

from collections.abc import Iterable

from controller.gang.cache.amounts import Amounts
from controller.gang.cache.pod import PodInfo


class GroupPodCounts:
    """`gated`: waiting for their gang; `unbound`: without gate and not bound; `unschedulable`: of those, the scheduler has
    no node for; `scheduled`: bound or finished, and not being deleted; `requests`: of unfinished pods without gate."""

    __slots__ = (
        "failed",
        "finished",
        "gated",
        "pods",
        "requests",
        "running",
        "scheduled",
        "succeeded",
        "unbound",
        "unschedulable",
    )

    def __init__(self) -> None:
        self.pods = self.gated = self.unbound = self.unschedulable = self.scheduled = 0
        self.running = self.succeeded = self.failed = self.finished = 0
        self.requests: Amounts = {}

    def count(self, pod: PodInfo, times: int) -> None:
        """Add the pod (`times` 1) or remove it (-1)."""
        self.pods += times
        self.gated += times * pod.awaits_gang
        self.unbound += times * pod.awaits_binding
        self.unschedulable += times * (pod.awaits_binding and bool(pod.unschedulable))
        self.scheduled += times * ((bool(pod.node) or pod.finished) and not pod.terminating)
        self.running += times * (pod.phase == "Running")
        self.succeeded += times * (pod.phase == "Succeeded")
        self.failed += times * (pod.phase == "Failed")
        self.finished += times * pod.finished
        if pod.occupies_node or pod.awaits_binding:
            for name, amount in pod.requirements.amounts.items():
                self.requests[name] = self.requests.get(name, 0) + times * amount


def summed_counts(parts: Iterable[GroupPodCounts]) -> GroupPodCounts:
    found = GroupPodCounts()
    for part in parts:
        for field in GroupPodCounts.__slots__:
            if field == "requests":
                for name, amount in part.requests.items():
                    found.requests[name] = found.requests.get(name, 0) + amount
            else:
                setattr(found, field, getattr(found, field) + getattr(part, field))
    return found
