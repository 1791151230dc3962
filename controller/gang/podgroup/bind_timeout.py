"""A group that was admitted and is not bound in time becomes Pending again, and its pods are created again with the
gate.
"""

import math
from collections.abc import Iterable
from typing import Final

from controller.gang.cache.pending_group import NOT_BOUND_IN_TIME
from controller.gang.cache.pod import PodInfo
from controller.gang.cache.pod_counts import GroupPodCounts
from controller.gang.cache.pod_group import SCHEDULED, UNSCHEDULABLE, PodGroupInfo
from controller.gang.settings import backoff
from shared import names
from shared.codec.plural import number_of, verb
from shared.model.phases import PodGroupPhase
from shared.model.types import Body
from shared.timestamp import rfc3339

_CLAIM: Final = "persistentvolumeclaim"
CLAIM_SECONDS: Final = 30.0
"""The limit for pods that wait for a PersistentVolumeClaim, while another group waits until they are bound."""


def while_others_wait(unschedulable: str, limit: float) -> float:
    """Seconds within which the minimum must be bound, while another group is not admitted until it is. `unschedulable`:
    the scheduler's message about a pod; `limit`: the operator's."""
    return min(limit, CLAIM_SECONDS) if _CLAIM in unschedulable.lower() else limit


def deadline(group: PodGroupInfo, counts: GroupPodCounts, limit: float) -> float | None:
    """When the group becomes Pending again unless its minimum is bound by then, epoch seconds; None when that cannot
    happen. Pods of the minimum that do not exist count as not bound."""
    if group.phase is not PodGroupPhase.INQUEUE or group.admitted_at is None or not math.isfinite(limit):
        return None
    has_pods = counts.unbound or counts.scheduled > counts.finished
    return group.admitted_at + limit if has_pods and counts.scheduled < group.minimum else None


def pods_to_delete(pods: Iterable[PodInfo]) -> tuple[PodInfo, ...]:
    """Every unfinished pod without gate, if a controller creates all of them again; otherwise none."""
    ungated = tuple(each for each in pods if not each.gated and not each.finished and not each.terminating)
    return ungated if all(each.owned for each in ungated) else ()


def pending_again(group: PodGroupInfo, counts: GroupPodCounts, why: str, limit: float, now: float) -> Body:
    """The PodGroup's merge patch. `why`: the scheduler's message about a pod that it cannot bind."""
    number, at = group.bind_timeouts + 1, rfc3339(now)
    pods = f"{number_of(group.minimum, 'pod')} {verb(group.minimum, 'was', 'were')}"
    bound = f"{counts.scheduled} of {pods} bound within {limit:g} s"
    message = f"{bound} ({why or _no_reason(group, counts)}); tried again at {rfc3339(now + backoff(number))}"
    changed = {"status": "True", "transitionID": at, "lastTransitionTime": at}
    kept = [each for each in group.status.get("conditions") or () if each.get("type") not in (SCHEDULED, UNSCHEDULABLE)]
    unschedulable = {"type": UNSCHEDULABLE, **changed, "reason": NOT_BOUND_IN_TIME, "message": message}
    return {
        "metadata": {"annotations": {names.GANG_PUT_BACK: str(number), names.GANG_PUT_BACK_AT: at}},
        "status": {"phase": PodGroupPhase.PENDING.value, "conditions": [*kept, unschedulable]},
    }


def _no_reason(group: PodGroupInfo, counts: GroupPodCounts) -> str:
    exist = counts.scheduled + counts.unbound
    return (
        f"{exist} {verb(exist, 'exists', 'exist')} without gate"
        if exist < group.minimum
        else "no scheduler has said why"
    )
