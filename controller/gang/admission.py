"""The admission state of this process, as the Job controller and the Queue controller ask for it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec

from controller.decision import Create, Decision
from controller.gang.cache.assumed import Slot
from controller.gang.cache.cache import Floor
from controller.gang.cache.group import Group, group_of
from controller.gang.cache.pending_group import Candidate
from controller.gang.cache.pod_requirements import Amounts, Shape, shape_of
from controller.gang.cycle.scheduling_cycle import Admission
from controller.gang.podgroup.phase import admitted_status
from controller.gang.podgroup.ungate import is_gated_by_us_only, without_gate
from controller.gang.rules import Rules
from controller.gang_api import Refused
from shared import names
from shared.key import Key
from shared.kinds import POD, PODGROUP
from shared.model.types import Body


class GateAdmission:
    """The cache of pods, nodes, groups and queues, and the scheduling cycle over it. `clock`: epoch seconds."""

    def __init__(self, rules: Rules, clock: Callable[[], float]) -> None:
        self.floor = Floor()
        self.rules = rules
        self.admission = Admission(self.floor, rules)
        self.clock = clock

    def usage(self, group: Key) -> Amounts | None:
        return self.floor.tally(group).held

    def admit_new(self, decision: Decision, namespace: str, refusals: Refused) -> Decision:
        """Creates pods without gate where they fit and nobody waits before them.

        Pods of a minimum above 1 always get the gate, unless kube-scheduler itself waits for all of them: the creation of
        any of them may be refused, and the others must not run without it.
        """
        pods = [
            action.body
            for action in decision.actions
            if isinstance(action, Create) and action.kind is POD and is_gated_by_us_only(action.body)
        ]
        self._release(namespace, refusals)
        created, group = self._group(decision, pods)
        if group is None or group.terminating or (group.minimum > 1 and not self.rules.bound_whole):
            return decision
        ungated = self._admitted(group, pods)
        if not ungated:
            return decision
        if created is not None:
            admitted = Create(PODGROUP, {**created.body, "status": admitted_status(self.clock())})
            first = tuple(admitted if action is created else action for action in decision.first)
            decision = msgspec.structs.replace(decision, first=first)
        actions = tuple(
            Create(POD, without_gate(action.body))
            if isinstance(action, Create) and action.kind is POD and action.body["metadata"]["name"] in ungated
            else action
            for action in decision.actions
        )
        return msgspec.structs.replace(decision, actions=actions)

    def _release(self, namespace: str, refusals: Refused) -> None:
        for (kind, name), refusal in refusals.items():
            if kind is PODGROUP:
                self.floor.promises.none_created(Key(namespace, name), refusal.at)
            elif kind is POD:
                self.floor.promises.not_created(Key(namespace, name), refusal.at)

    def _group(self, decision: Decision, pods: Sequence[Body]) -> tuple[Create | None, Group | None]:
        """The group of the pods: about to be created, or known."""
        ref = _group_of_pod(pods[0]) if pods else None
        if ref is None:
            return None, None
        for action in decision.first:
            if isinstance(action, Create) and action.kind is PODGROUP and action.body["metadata"]["name"] == ref.name:
                return action, group_of(action.body)
        return None, self.floor.groups.get(ref)

    def _admitted(self, group: Group, pods: Sequence[Body]) -> frozenset[str]:
        """Names of the pods that need no gate: all of them, or else as many as the minimum."""
        promises, now = self.floor.promises, self.clock()
        shapes = {pod["metadata"]["name"]: shape_of(pod) for pod in pods}
        booked = {name for name in shapes if promises.is_booked(Key(group.ref.namespace, name))}
        wanted = {name: shape for name, shape in shapes.items() if name not in booked}
        for part in (wanted, dict(list(wanted.items())[: max(1, group.minimum)])):
            if part and self._book(group, part, now):
                return frozenset({*booked, *part})
        return frozenset(booked)

    def _book(self, group: Group, pods: Mapping[str, Shape], now: float) -> bool:
        newcomer = Candidate(group.ref, group.queue, now, gang=tuple(Counter(pods.values()).items()))
        found = self.admission.let_in(newcomer)
        if found is None:
            return False
        nodes: dict[Shape, list[str]] = {}
        for shape, node, count in found.placed:
            nodes.setdefault(shape, []).extend([node] * count)
        for name, shape in pods.items():
            slot = Slot(shape, nodes[shape].pop())
            self.floor.promises.book(Key(group.ref.namespace, name), group.ref, group.queue, slot, now)
        return True


def _group_of_pod(pod: Body) -> Key | None:
    metadata = pod["metadata"]
    name = (metadata.get("annotations") or {}).get(names.GROUP_NAME)
    return Key(metadata.get("namespace", ""), name) if name else None
