"""A group that was admitted but is not bound within the limit goes back whole: better waiting than half running."""

import math
from collections.abc import Iterable

from controller.gang.cache.group import SCHEDULED, UNSCHEDULABLE, Group
from controller.gang.cache.pod import Member
from controller.gang.cache.pod_counts import Tally
from controller.gang.rules import backoff
from shared import names
from shared.model.phases import PodGroupPhase
from shared.model.types import Body
from shared.timestamp import rfc3339

REASON = "NotBoundInTime"


def due(group: Group, tally: Tally, limit: float) -> float | None:
    """When the group is to be put back unless its minimum is bound by then, epoch seconds; None when nothing is late."""
    if group.phase is not PodGroupPhase.INQUEUE or group.admitted_at is None or not tally.expected:
        return None
    return group.admitted_at + limit if tally.scheduled < group.minimum and math.isfinite(limit) else None


def to_delete(members: Iterable[Member]) -> tuple[Member, ...]:
    """Every unfinished pod that was let go, if all of them come again; a pod that nobody would make again is kept,
    and with it the whole group."""
    begun = tuple(each for each in members if not each.gated and not each.finished and not each.terminating)
    return begun if all(each.owned for each in begun) else ()


def put_back(group: Group, tally: Tally, why: str, limit: float, now: float) -> Body:
    """The PodGroup's patch: Pending, with the reason, and when it is tried again."""
    number, at = group.put_back + 1, rfc3339(now)
    bound = f"{tally.scheduled} of {group.minimum} pods were bound within {limit:g} s"
    message = f"{bound} ({why or 'no scheduler has said why'}); tried again at {rfc3339(now + backoff(number))}"
    told = {"status": "True", "transitionID": at, "lastTransitionTime": at, "reason": REASON, "message": message}
    kept = [each for each in group.status.get("conditions") or () if each.get("type") not in (SCHEDULED, UNSCHEDULABLE)]
    return {
        "metadata": {"annotations": {names.GANG_PUT_BACK: str(number), names.GANG_PUT_BACK_AT: at}},
        "status": {"phase": PodGroupPhase.PENDING.value, "conditions": [*kept, {"type": UNSCHEDULABLE, **told}]},
    }
