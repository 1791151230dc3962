"""PodGroup phase, counters and conditions from what its pods do (volcano-behaviour.md 5.1)."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from controller.gang.cache.group import SCHEDULED, UNSCHEDULABLE, Group, condition
from controller.gang.cache.pending_group import Refusal
from controller.gang.cache.pod_counts import Tally
from shared.model.phases import PodGroupPhase
from shared.model.types import Body
from shared.timestamp import rfc3339

READY: Final = "tasks in gang are ready to be scheduled"
NOT_BOUND: Final = "NotBound"
ADMITTED: Final = frozenset({PodGroupPhase.INQUEUE, PodGroupPhase.RUNNING, PodGroupPhase.UNKNOWN})


class Sight(msgspec.Struct, frozen=True):
    """One look at a group. `refusal`: why the last round did not admit it; `granted`: the last round did;
    `refused`: what the scheduler says of a pod that it cannot place."""

    group: Group
    tally: Tally
    refusal: Refusal | None = None
    granted: bool = False
    refused: str = ""


def phase(sight: Sight) -> PodGroupPhase:
    """Where the group stands. Half of the minimum bound is Unknown only when the scheduler cannot place the rest."""
    group, tally = sight.group, sight.tally
    if tally.scheduled >= group.minimum and (tally.scheduled or tally.expected):
        if not tally.scheduled:
            return PodGroupPhase.INQUEUE
        return PodGroupPhase.COMPLETED if tally.finished == tally.pods else PodGroupPhase.RUNNING
    if group.phase in (PodGroupPhase.RUNNING, PodGroupPhase.UNKNOWN) and tally.running:
        return PodGroupPhase.UNKNOWN if tally.refused else PodGroupPhase.RUNNING
    if sight.granted or tally.expected or (tally.scheduled and group.phase in ADMITTED):
        return PodGroupPhase.INQUEUE
    return group.phase if group.phase is PodGroupPhase.INQUEUE and not tally.waiting else PodGroupPhase.PENDING


def status(sight: Sight, now: float) -> Body:
    """The whole status, with times kept where nothing changed."""
    group, tally = sight.group, sight.tally
    wanted = phase(sight)
    counts = {"running": tally.running, "succeeded": tally.succeeded, "failed": tally.failed}
    conditions = [
        dict(each)
        for each in group.status.get("conditions") or ()
        if each.get("type") not in (SCHEDULED, UNSCHEDULABLE)
    ]
    conditions += [each for each in (_unschedulable(sight, wanted, now), _scheduled(sight, wanted, now)) if each]
    return {
        "phase": wanted.value,
        **{name: number for name, number in counts.items() if number},
        **({"conditions": conditions} if conditions else {}),
    }


def differs(stored: Mapping[str, Any], wanted: Body) -> bool:
    """In anything but the words of a condition whose reason is the same."""
    return _essence(stored) != _essence(wanted)


def words_differ(stored: Mapping[str, Any], wanted: Body) -> bool:
    return _messages(stored) != _messages(wanted)


def admitted_status(now: float) -> Body:
    """The status of a group that is created admitted."""
    return {"phase": PodGroupPhase.INQUEUE.value, "conditions": [_condition(SCHEDULED, "True", READY, "", now)]}


def _unschedulable(sight: Sight, wanted: PodGroupPhase, now: float) -> Body | None:
    stored = condition(sight.group.status, UNSCHEDULABLE)
    waits = wanted is PodGroupPhase.PENDING and sight.refusal is not None
    if waits and sight.refusal is not None:
        return _kept(stored, _condition(UNSCHEDULABLE, "True", sight.refusal.reason, sight.refusal.message, now))
    if wanted in ADMITTED and sight.tally.refused and sight.tally.scheduled < sight.group.minimum:
        message = f"{sight.tally.expected} pods are not bound to nodes: {sight.refused}"
        return _kept(stored, _condition(UNSCHEDULABLE, "True", NOT_BOUND, message, now))
    if not stored or wanted is PodGroupPhase.PENDING:
        return dict(stored) or None
    return _kept(stored, _condition(UNSCHEDULABLE, "False", READY, "", now))


def _scheduled(sight: Sight, wanted: PodGroupPhase, now: float) -> Body | None:
    stored = condition(sight.group.status, SCHEDULED)
    if wanted is PodGroupPhase.PENDING:
        return _kept(stored, _condition(SCHEDULED, "False", "Waiting", "", now)) if stored else None
    if sight.granted:  # the time of the last admission: binding is timed from it
        return _condition(SCHEDULED, "True", READY, "", now)
    return _kept(stored, _condition(SCHEDULED, "True", READY, "", now))


def _condition(kind: str, value: str, reason: str, message: str, now: float) -> Body:
    at = rfc3339(now)
    made = {"type": kind, "status": value, "transitionID": at, "lastTransitionTime": at, "reason": reason}
    return {**made, "message": message} if message else made


def _kept(stored: Mapping[str, Any], wanted: Body) -> Body:
    """With the stored times while the condition's status is the same."""
    if stored.get("status") != wanted["status"]:
        return wanted
    return wanted | {key: stored[key] for key in ("transitionID", "lastTransitionTime") if key in stored}


def _essence(status: Mapping[str, Any]) -> object:
    conditions = [
        (each.get("type"), each.get("status"), each.get("reason"), each.get("lastTransitionTime"))
        for each in status.get("conditions") or ()
    ]
    return [
        status.get("phase"),
        *(status.get(key) or 0 for key in ("running", "succeeded", "failed")),
        sorted(conditions),
    ]


def _messages(status: Mapping[str, Any]) -> object:
    return sorted((str(each.get("type")), str(each.get("message") or "")) for each in status.get("conditions") or ())
