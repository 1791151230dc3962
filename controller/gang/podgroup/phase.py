"""Phase, counters and conditions of a PodGroup, derived from its pods."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from controller.gang.cache.pending_group import Inadmissible
from controller.gang.cache.pod_counts import GroupPodCounts
from controller.gang.cache.pod_group import SCHEDULED, UNSCHEDULABLE, PodGroupInfo, condition
from shared.codec.plural import number_of, verb
from shared.model.phases import PodGroupPhase
from shared.model.types import Body
from shared.timestamp import rfc3339

READY: Final = "tasks in gang are ready to be scheduled"
NOT_BOUND: Final = "NotBound"
ADMITTED: Final = frozenset({PodGroupPhase.INQUEUE, PodGroupPhase.RUNNING, PodGroupPhase.UNKNOWN})
_NUMBERS: Final = re.compile(r"\d+(\.\d+)?[a-zA-Z]*")


class GroupObservation(msgspec.Struct, frozen=True):
    """`inadmissible`: why the last scheduling cycle did not admit the group; `admitted`: it did, and gates are being removed;
    `unschedulable`: the scheduler's message about a pod that it cannot bind; `beyond`: why the cycle did not admit pods
    beyond the minimum."""

    group: PodGroupInfo
    counts: GroupPodCounts
    inadmissible: Inadmissible | None = None
    admitted: bool = False
    unschedulable: str = ""
    beyond: Inadmissible | None = None


def phase(observed: GroupObservation) -> PodGroupPhase:
    """The group is Unknown when part of its minimum runs and the scheduler cannot bind the rest."""
    group, counts = observed.group, observed.counts
    if counts.scheduled >= group.minimum and (counts.scheduled or counts.unbound):
        if not counts.scheduled:
            return PodGroupPhase.INQUEUE
        return PodGroupPhase.COMPLETED if counts.finished == counts.pods else PodGroupPhase.RUNNING
    if group.phase in (PodGroupPhase.RUNNING, PodGroupPhase.UNKNOWN) and counts.running:
        return PodGroupPhase.UNKNOWN if counts.unschedulable else PodGroupPhase.RUNNING
    if observed.admitted or counts.unbound or (counts.scheduled and group.phase in ADMITTED):
        return PodGroupPhase.INQUEUE
    return group.phase if group.phase is PodGroupPhase.INQUEUE and not counts.gated else PodGroupPhase.PENDING


def status(observed: GroupObservation, now: float) -> Body:
    """The whole status. Times are kept where nothing changed. `kubectl get` shows `running`, so 0 is written too."""
    group, counts = observed.group, observed.counts
    wanted = phase(observed)
    ended = {"succeeded": counts.succeeded, "failed": counts.failed}
    conditions = [
        dict(each)
        for each in group.status.get("conditions") or ()
        if each.get("type") not in (SCHEDULED, UNSCHEDULABLE)
    ]
    conditions += [each for each in (_unschedulable(observed, wanted, now), _scheduled(observed, wanted, now)) if each]
    return {
        "phase": wanted.value,
        "running": counts.running,
        **{name: number for name, number in ended.items() if number},
        **({"conditions": conditions} if conditions else {}),
    }


def differs(stored: Mapping[str, Any], wanted: Body) -> bool:
    """Whether the statuses differ in more than the numbers within messages; a message with other words has another
    cause.
    """
    return _essence(stored) != _essence(wanted)


def messages_differ(stored: Mapping[str, Any], wanted: Body) -> bool:
    return _messages(stored) != _messages(wanted)


def admitted_status(now: float) -> Body:
    """The status of a group that is created admitted."""
    return {"phase": PodGroupPhase.INQUEUE.value, "conditions": [_condition(SCHEDULED, "True", READY, "", now)]}


def _unschedulable(observed: GroupObservation, wanted: PodGroupPhase, now: float) -> Body | None:
    stored, why = condition(observed.group.status, UNSCHEDULABLE), observed.inadmissible
    counts = observed.counts
    if wanted is PodGroupPhase.PENDING and why is not None:
        return _with_stored_times(stored, _condition(UNSCHEDULABLE, "True", why.reason, why.message, now))
    if wanted in ADMITTED and counts.gated and why is not None and counts.scheduled < observed.group.minimum:
        pods = f"{number_of(counts.gated, 'pod')} {verb(counts.gated, 'waits', 'wait')}"
        return _with_stored_times(stored, _condition(UNSCHEDULABLE, "True", why.reason, f"{pods}: {why.message}", now))
    if wanted in ADMITTED and counts.unschedulable and counts.scheduled < observed.group.minimum:
        who = f"{number_of(counts.unbound, 'pod')} {verb(counts.unbound, 'is', 'are')}"
        message = f"{who} not bound to nodes: {observed.unschedulable}"
        return _with_stored_times(stored, _condition(UNSCHEDULABLE, "True", NOT_BOUND, message, now))
    if wanted is PodGroupPhase.PENDING:
        return dict(stored) or None
    more = _beyond(observed)
    if not stored and not more:
        return None
    return _with_stored_times(stored, _condition(UNSCHEDULABLE, "False", READY, more, now))


def _beyond(observed: GroupObservation) -> str:
    """Why pods beyond the minimum wait; empty when none does, or when it is not known."""
    waiting, why = observed.counts.gated, observed.beyond
    if why is None or not waiting or observed.admitted:
        return ""
    return f"{number_of(waiting, 'pod')} beyond the minimum {verb(waiting, 'waits', 'wait')}: {why.message}"


def _scheduled(observed: GroupObservation, wanted: PodGroupPhase, now: float) -> Body | None:
    stored = condition(observed.group.status, SCHEDULED)
    if wanted is PodGroupPhase.PENDING:
        return _with_stored_times(stored, _condition(SCHEDULED, "False", "Waiting", "", now)) if stored else None
    if observed.admitted:  # the bind timeout counts from the last admission
        return _condition(SCHEDULED, "True", READY, "", now)
    return _with_stored_times(stored, _condition(SCHEDULED, "True", READY, "", now))


def _condition(kind: str, value: str, reason: str, message: str, now: float) -> Body:
    at = rfc3339(now)
    made = {"type": kind, "status": value, "transitionID": at, "lastTransitionTime": at, "reason": reason}
    return {**made, "message": message} if message else made


def _with_stored_times(stored: Mapping[str, Any], wanted: Body) -> Body:
    if stored.get("status") != wanted["status"]:
        return wanted
    return wanted | {key: stored[key] for key in ("transitionID", "lastTransitionTime") if key in stored}


def _essence(status: Mapping[str, Any]) -> object:
    conditions = [
        (
            str(each.get("type")),
            *(str(each.get(field)) for field in ("status", "reason", "lastTransitionTime")),
            _NUMBERS.sub("#", str(each.get("message") or "")),
        )
        for each in status.get("conditions") or ()
    ]
    return [
        status.get("phase"),
        *(status.get(key) or 0 for key in ("running", "succeeded", "failed")),
        sorted(conditions),
    ]


def _messages(status: Mapping[str, Any]) -> object:
    return sorted((str(each.get("type")), str(each.get("message") or "")) for each in status.get("conditions") or ())
