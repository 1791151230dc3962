"""Where a new group asks whether it may start at once, so that its pods need no gate and nothing is written twice."""

from collections import Counter
from collections.abc import Callable, Sequence

from controller.gang.admit import Admission
from controller.gang.candidate import Candidate
from controller.gang.floor import Floor
from controller.gang.promises import COMING_SECONDS
from controller.gang.ref import Ref
from controller.gang.rules import Rules
from controller.gang.shape import Shape, shape_of
from shared import names
from shared.resources import GangTask, gang_counts


class Desk:
    """The books of admission, and the front desk of the `gate` backend. `clock`: epoch seconds."""

    def __init__(self, rules: Rules, clock: Callable[[], float]) -> None:
        self.floor = Floor()
        self.rules = rules
        self.admission = Admission(self.floor, rules)
        self.clock = clock

    def let_in(self, ref: Ref, queue: str, minimum: int, tasks: Sequence[GangTask]) -> bool:
        """Whether the group may be created admitted: with all its pods, or else with its minimum.

        Room is promised to it for the short while until its pods are there.
        """
        if self.floor.promises.is_expected(ref):
            return True
        now = self.clock()
        everything = tuple((shape_of(task.template), task.replicas) for task in tasks)
        for gang in dict.fromkeys((_merged(everything), _merged(_minimum(tasks, minimum)))):
            newcomer = Candidate(ref, queue or names.DEFAULT_QUEUE, now, gang=gang)
            if gang and self.admission.let_in(newcomer, now + COMING_SECONDS):
                return True
        return False

    def claim(self, ref: Ref, pod: str, shape: Shape) -> bool:
        """Whether this pod of the group, about to be created, needs no gate."""
        return self.floor.promises.claim(ref, pod, shape)


def _minimum(tasks: Sequence[GangTask], minimum: int) -> tuple[tuple[Shape, int], ...]:
    ordered = sorted(tasks, key=lambda task: -task.priority)
    counts = gang_counts(ordered, minimum)
    return tuple((shape_of(task.template), count) for task, count in zip(ordered, counts, strict=True))


def _merged(gang: Sequence[tuple[Shape, int]]) -> tuple[tuple[Shape, int], ...]:
    counts: Counter[Shape] = Counter()
    for shape, count in gang:
        counts[shape] += count
    return tuple((shape, count) for shape, count in counts.items() if count)
