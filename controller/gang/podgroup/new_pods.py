"""The pods that a Job's decision creates, and the decision with some of them admitted before they exist."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from controller.decision import Action, Create, Decision, Patch
from controller.gang.cache.pod_group import PodGroupInfo, pod_group_info_of
from controller.gang.podgroup.phase import admitted_status
from controller.gang.podgroup.ungate import has_only_our_gate, without_gates
from shared import names
from shared.key import Key
from shared.kinds import POD, PODGROUP
from shared.model.types import Body


def gated_pods(decision: Decision) -> tuple[Body, ...]:
    """The pods to be created that no other gate than ours holds."""
    pods = (action.body for action in decision.actions if isinstance(action, Create) and action.kind is POD)
    return tuple(pod for pod in pods if has_only_our_gate(pod))


def group_of_pods(pods: Sequence[Body]) -> Key | None:
    """The PodGroup that the pods name: the same for all pods of a Job. None without pods."""
    metadata = pods[0]["metadata"] if pods else {}
    name = (metadata.get("annotations") or {}).get(names.GROUP_NAME)
    return Key(metadata.get("namespace", ""), name) if name else None


def group_after(decision: Decision, key: Key, known: Mapping[Key, PodGroupInfo]) -> PodGroupInfo | None:
    """The PodGroup as it is when the pods are created; None when it is not known, or when the decision changes it."""
    for action in decision.first:
        if isinstance(action, Create) and _creates(action, key):
            return pod_group_info_of(action.body)
        if isinstance(action, Patch) and action.kind is PODGROUP and action.name == key.name:
            return None
    return known.get(key)


def with_admitted(decision: Decision, group: PodGroupInfo, pods: Collection[str], now: float) -> Decision:
    """The decision with these pods created without gate, and the PodGroup created Inqueue. `now`: epoch seconds."""
    first = tuple(
        Create(PODGROUP, {**action.body, "status": admitted_status(now)})
        if isinstance(action, Create) and _creates(action, group.key)
        else action
        for action in decision.first
    )
    actions = tuple(
        Create(POD, without_gates(action.body))
        if isinstance(action, Create) and action.kind is POD and action.body["metadata"]["name"] in pods
        else action
        for action in decision.actions
    )
    return msgspec.structs.replace(decision, first=first, actions=actions)


def _creates(action: Action, key: Key) -> bool:
    return isinstance(action, Create) and action.kind is PODGROUP and action.body["metadata"]["name"] == key.name
