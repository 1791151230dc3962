"""Where a new group asks whether it may start at once, so that its pods need no gate and nothing is written twice."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from controller.gang.cache.assumed import COMING_SECONDS
from controller.gang.cache.cache import Floor
from controller.gang.cache.pod_requirements import Shape, shape_of
from controller.gang.cycle.pending_group import Candidate
from controller.gang.cycle.scheduling_cycle import Admission
from controller.gang.podgroup.ungate import schedulable
from controller.gang.rules import Rules
from shared import names
from shared.key import Key
from shared.resources import GangTask, gang_counts


class Desk:
    """The books of admission, and the front desk of the `gate` backend. `clock`: epoch seconds."""

    def __init__(self, rules: Rules, clock: Callable[[], float]) -> None:
        self.floor = Floor()
        self.rules = rules
        self.admission = Admission(self.floor, rules)
        self.clock = clock

    def let_in(self, ref: Key, queue: str, minimum: int, tasks: Sequence[GangTask]) -> bool:
        """Whether the group may be created admitted: with all its pods, or else with its minimum.

        Room is promised to it for the short while until its pods are there.
        """
        if self.floor.promises.is_expected(ref):
            return True
        now = self.clock()
        if any((task.template.get("spec") or {}).get("schedulingGates") for task in tasks):
            return False  # the scheduler would not bind them, and others would wait for that
        shapes = [shape_of(_in_place(task.template, ref.namespace)) for task in tasks]
        everything = tuple((shape, task.replicas) for shape, task in zip(shapes, tasks, strict=True))
        for gang in dict.fromkeys((_merged(everything), _merged(_minimum(tasks, shapes, minimum)))):
            newcomer = Candidate(ref, queue or names.DEFAULT_QUEUE, now, gang=gang)
            if gang and self.admission.let_in(newcomer, now + COMING_SECONDS):
                return True
        return False

    def claim(self, ref: Key, pod: str, shape: Shape) -> bool:
        """Whether this pod of the group, about to be created, needs no gate."""
        return self.floor.promises.claim(ref, pod, shape)


def _in_place(template: Mapping[str, Any], namespace: str) -> Mapping[str, Any]:
    """As a pod of it will be, as far as its shape goes."""
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    return {"metadata": {**metadata, "namespace": namespace}, "spec": schedulable(spec)}


def _minimum(tasks: Sequence[GangTask], shapes: Sequence[Shape], minimum: int) -> tuple[tuple[Shape, int], ...]:
    ordered = sorted(zip(tasks, shapes, strict=True), key=lambda each: -each[0].priority)
    counts = gang_counts([task for task, _ in ordered], minimum)
    return tuple((shape, count) for (_, shape), count in zip(ordered, counts, strict=True))


def _merged(gang: Sequence[tuple[Shape, int]]) -> tuple[tuple[Shape, int], ...]:
    counts: Counter[Shape] = Counter()
    for shape, count in gang:
        counts[shape] += count
    return tuple((shape, count) for shape, count in counts.items() if count)
