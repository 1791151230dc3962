"""A group that waits: which of its gated pods make up what is missing of its minimum."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from controller.gang.cache.exclusive_resources import is_exclusive, said
from controller.gang.cache.group import Group
from controller.gang.cache.pod import Member
from controller.gang.cache.pod_requirements import Amounts, Shape, total, words
from shared.key import Key

NOT_ENOUGH_TASKS: Final = "NotEnoughTasks"
NOT_ENOUGH_PODS_OF_TASK: Final = "NotEnoughPodsOfTask"
NOT_ENOUGH_RESOURCES: Final = "NotEnoughResources"


class Refusal(msgspec.Struct, frozen=True):
    """Why a group is not admitted. `reason`: of the condition; `message`: for people, with numbers.

    `by_nodes`: only room on nodes is missing, so room may be kept for it; `never`: nothing that ends will help;
    `settling`: there is room, but where depends on pods that are just being bound; `queue`: the one whose limit is in the
    way.
    """

    reason: str
    message: str
    by_nodes: bool = False
    never: bool = False
    settling: bool = False
    queue: str = ""

    @property
    def by_others(self) -> bool:
        """Others use up the limit of a queue: it may start when they have ended."""
        return bool(self.queue) and not self.never


class Candidate(msgspec.Struct, frozen=True):
    """`gang`: shapes and how many of each must start together; `pods`: their uids by shape; `spare`: pods beyond the minimum.

    `begun`: some of the minimum was let go before, so it must not be left half done; `missing`: pods do not exist yet;
    `may_pin`: its pods may be held to nodes chosen here. Not when that failed last time: there are rules that only the
    scheduler knows (affinity between pods, volumes, ports).
    """

    ref: Key
    queue: str
    created: float
    gang: tuple[tuple[Shape, int], ...] = ()
    pods: tuple[Member, ...] = ()
    spare: tuple[Member, ...] = ()
    priority: int = 0
    begun: bool = False
    missing: Refusal | None = None
    may_pin: bool = True

    @property
    def amounts(self) -> Amounts:
        return total(self.gang)

    @property
    def needs(self) -> str:
        """In words."""
        alone = sorted({said(name) for shape, _ in self.gang for name, _ in shape.requests if is_exclusive(name)})
        also = f", and of each node no more than one {' and one '.join(alone)}" if alone else ""
        return f"{self.size} pods that start together need {words(self.amounts)}{also}"

    @property
    def size(self) -> int:
        return sum(count for _, count in self.gang)


def candidate(group: Group, members: Iterable[Member], priority: int | None) -> Candidate:
    """`priority`: of the group's PriorityClass; None when it names none, then the pods' own highest counts."""
    pods = list(members)
    held = [each for each in pods if each.waits and each.held]
    waiting = sorted((each for each in pods if each.waits and not each.held), key=_order)
    counted = [each for each in pods if not each.gated and not (each.terminating and not each.finished)]
    chosen, missing = _chosen(group, counted, waiting)
    if missing is not None and held:
        message = f"{len(held)} pods wait for somebody to take away their scheduling gate {held[0].held}"
        missing = Refusal(NOT_ENOUGH_TASKS, message)
    taken = {each.uid for each in chosen}
    return Candidate(
        ref=group.ref,
        queue=group.queue,
        created=group.created,
        gang=tuple(Counter(each.shape for each in chosen).items()),
        pods=tuple(chosen),
        spare=tuple(each for each in waiting if each.uid not in taken),
        priority=max((each.priority for each in waiting), default=0) if priority is None else priority,
        begun=any(not each.finished for each in counted) and bool(chosen),
        missing=missing,
        may_pin=group.put_back % 2 == 0,
    )


def _chosen(group: Group, counted: Sequence[Member], waiting: Sequence[Member]) -> tuple[list[Member], Refusal | None]:
    """What is missing of each task's minimum first, then of the group's. A refusal when too few pods exist."""
    chosen: list[Member] = []
    have = Counter(each.task for each in counted)
    for task, minimum in group.task_minimum.items() if group.tasks_count else ():
        needed = max(0, minimum - have[task])
        found = [each for each in waiting if each.task == task][:needed]
        if len(found) < needed:
            exist = have[task] + sum(each.task == task for each in waiting)
            return [], Refusal(NOT_ENOUGH_PODS_OF_TASK, f"{exist} of {minimum} pods of task {task} exist")
        chosen += found
    needed = max(0, group.minimum - len(counted) - len(chosen))
    taken = {each.uid for each in chosen}
    rest = [each for each in waiting if each.uid not in taken][:needed]
    if len(rest) < needed:
        exist = len(counted) + len(waiting)
        return [], Refusal(NOT_ENOUGH_TASKS, f"{exist} of {group.minimum} pods that must start together exist")
    return chosen + rest, None


def _order(member: Member) -> tuple[int, str, int, str]:
    return -member.priority, member.task, member.index, member.ref.name
