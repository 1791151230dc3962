"""Groups with gated pods: which of the pods make up what is missing of the minimum, and why a group is not admitted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from controller.gang.cache.amounts import Amounts, format_amounts
from controller.gang.cache.exclusive_resources import display_name, is_exclusive
from controller.gang.cache.pod import PodInfo
from controller.gang.cache.pod_group import UNSCHEDULABLE, PodGroupInfo, condition
from controller.gang.cache.pod_requirements import PODS, PodRequirements, total
from shared.codec.plural import number_of, verb
from shared.key import Key

NOT_ENOUGH_TASKS: Final = "NotEnoughTasks"
NOT_ENOUGH_PODS_OF_TASK: Final = "NotEnoughPodsOfTask"
NOT_ENOUGH_RESOURCES: Final = "NotEnoughResources"
NOT_BOUND_IN_TIME: Final = "NotBoundInTime"


class Inadmissible(msgspec.Struct, frozen=True):
    """Why a group is not admitted. `reason`: of the condition; `message`: for people, with numbers.

    `permanent`: it cannot be admitted even when everything else has ended; `lacks_nodes`: only room on nodes is missing,
    so room may be reserved for it; `awaits_binding`: where there is room depends on pods that are being bound; `queue`: the
    queue whose capability is used up.
    """

    reason: str
    message: str
    permanent: bool = False
    lacks_nodes: bool = False
    awaits_binding: bool = False
    queue: str = ""

    @property
    def lacks_quota(self) -> bool:
        """Other groups use up the capability of a queue: it may be admitted when they have ended."""
        return bool(self.queue) and not self.permanent


class PendingGroup(msgspec.Struct, frozen=True):
    """`gang`: requirements, and how many such pods must start together; `pods`: those pods; `beyond_minimum`: gated pods
    that may start one by one.

    `started`: pods of it run already, so the rest is admitted before other groups; `incomplete`: pods of the minimum
    do not exist; `may_pin`: its pods may be held to nodes chosen here. Not after an odd number of bind timeouts: the
    pods may have requirements that only the scheduler knows (affinity between pods, volumes).
    `not_before`: until then it backs off after a bind timeout, epoch seconds; `bind_timeout_message`: of the last one.
    """

    key: Key
    queue: str
    created: float
    gang: tuple[tuple[PodRequirements, int], ...] = ()
    pods: tuple[PodInfo, ...] = ()
    beyond_minimum: tuple[PodInfo, ...] = ()
    priority: int = 0
    started: bool = False
    incomplete: Inadmissible | None = None
    may_pin: bool = True
    bind_timeouts: int = 0
    bind_timeout_at: float | None = None
    bind_timeout_message: str = ""

    @property
    def amounts(self) -> Amounts:
        return total(self.gang)

    @property
    def size(self) -> int:
        return sum(count for _, count in self.gang)

    @property
    def pods_need(self) -> str:
        """`1 pod needs`, `4 pods that start together need`."""
        return "1 pod needs" if self.size == 1 else f"{self.size} pods that start together need"

    @property
    def needs(self) -> str:
        """`4 pods that start together need cpu 4`. Their number is not repeated as an amount of the resource `pods`."""
        exclusive = {display_name(name) for each, _ in self.gang for name, _ in each.requests if is_exclusive(name)}
        also = f", and of each node no more than one {' and one '.join(sorted(exclusive))}" if exclusive else ""
        amounts = {name: amount for name, amount in self.amounts.items() if name != PODS}
        return f"{self.pods_need} {format_amounts(amounts) or 'no resources'}{also}"


def pending_group(group: PodGroupInfo, pods: Iterable[PodInfo], class_value: int | None) -> PendingGroup:
    """`class_value`: of the group's PriorityClass; None when it names none, then the pods' highest priority counts."""
    own = [each for each in pods if group.has(each)]
    blocked = [each for each in own if each.awaits_gang and each.foreign_gate]
    waiting = sorted((each for each in own if each.awaits_gang and not each.foreign_gate), key=_order)
    counted = [each for each in own if each.counts_for_minimum]
    chosen, incomplete = _choose(group, counted, waiting)
    if incomplete is not None and blocked:
        who = f"{number_of(len(blocked), 'pod')} {verb(len(blocked), 'is', 'are')}"
        message = f"{who} blocked by scheduling gate {blocked[0].foreign_gate}, which jobflow does not manage"
        incomplete = Inadmissible(NOT_ENOUGH_TASKS, message)
    taken = {each.uid for each in chosen}
    last_timeout = condition(group.status, UNSCHEDULABLE)
    return PendingGroup(
        key=group.key,
        queue=group.queue,
        created=group.created,
        gang=tuple(Counter(each.requirements for each in chosen).items()),
        pods=tuple(chosen),
        beyond_minimum=() if incomplete else tuple(each for each in waiting if each.uid not in taken),
        priority=max((each.priority for each in waiting), default=0) if class_value is None else class_value,
        started=any(not each.finished for each in counted) and bool(chosen),
        incomplete=incomplete,
        may_pin=group.bind_timeouts % 2 == 0,
        bind_timeouts=group.bind_timeouts,
        bind_timeout_at=group.bind_timeout_at,
        bind_timeout_message=last_timeout.get("message", "") if last_timeout.get("reason") == NOT_BOUND_IN_TIME else "",
    )


def is_complete(group: PodGroupInfo, pods: Sequence[PodInfo]) -> bool:
    """Whether these pods are at least the group's minimum."""
    _, incomplete = _choose(group, pods, ())
    return incomplete is None


def _choose(
    group: PodGroupInfo, counted: Sequence[PodInfo], waiting: Sequence[PodInfo]
) -> tuple[list[PodInfo], Inadmissible | None]:
    """The pods that complete each task's minimum and then the group's; or what is incomplete, when too few pods exist."""
    chosen: list[PodInfo] = []
    have = Counter(each.task for each in counted)
    for task, minimum in group.task_minimum.items() if group.has_task_minimums else ():
        needed = max(0, minimum - have[task])
        found = [each for each in waiting if each.task == task][:needed]
        if len(found) < needed:
            exist = have[task] + sum(each.task == task for each in waiting)
            return [], Inadmissible(
                NOT_ENOUGH_PODS_OF_TASK,
                f"{exist} of {number_of(minimum, 'pod')} of task {task} {verb(minimum, 'exists', 'exist')}",
            )
        chosen += found
    needed = max(0, group.minimum - len(counted) - len(chosen))
    taken = {each.uid for each in chosen}
    rest = [each for each in waiting if each.uid not in taken][:needed]
    if len(rest) < needed:
        exist = len(counted) + len(waiting)
        message = f"{exist} of {number_of(group.minimum, 'pod')} that must start together {verb(group.minimum, 'exists', 'exist')}"
        return [], Inadmissible(NOT_ENOUGH_TASKS, message)
    return chosen + rest, None


def _order(pod: PodInfo) -> tuple[int, str, int, str]:
    return -pod.priority, pod.task, pod.index, pod.key.name
