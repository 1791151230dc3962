"""QueueSeen -> Decision."""

from typing import Any, Final

from controller.decision import Action, Create, Decision, Note, Patch
from controller.queue.commands import obey
from controller.queue.observed import QueueSeen
from controller.queue.states import follows_parent, synced
from shared import names
from shared.kinds import QUEUE
from shared.model.phases import PodGroupPhase, QueueState
from shared.model.types import Body

ALWAYS_THERE: Final = (names.ROOT_QUEUE, names.DEFAULT_QUEUE)
PARENT_CYCLE: Final = "ParentCycle"

COUNTS: Final = {
    "unknown": PodGroupPhase.UNKNOWN,
    "pending": PodGroupPhase.PENDING,
    "running": PodGroupPhase.RUNNING,
    "inqueue": PodGroupPhase.INQUEUE,
    "completed": PodGroupPhase.COMPLETED,
}


def missing(name: str) -> Decision:
    """What to do about a queue that is not there: root and default are made."""
    if name not in ALWAYS_THERE:
        return Decision()
    spec: dict[str, Any] = {"weight": 1, "reclaimable": name != names.ROOT_QUEUE}
    if name != names.ROOT_QUEUE:
        spec["parent"] = names.ROOT_QUEUE
    body = {"apiVersion": QUEUE.api_version, "kind": QUEUE.kind, "metadata": {"name": name}, "spec": spec}
    return Decision(actions=(Create(QUEUE, body),))


def decide(seen: QueueSeen) -> Decision:
    """Parent, mark, state and counters. A queue that is being deleted is left alone."""
    if seen.queue.metadata.deletion_timestamp:
        return Decision()
    ordered = obey(seen)
    state, mark = follows_parent(seen, ordered.state)
    if ordered.opened and seen.closed_by_parent:
        mark = False
    state = synced(seen, state)
    status = _status(seen, state)
    pause = _pause(seen, status) if status != _stored(seen) else 0.0
    return Decision(
        actions=tuple(_patches(seen, mark)),
        status=None if pause else status,
        cleanup=(*_unmark(seen, mark), *ordered.cleanup),
        notes=(*ordered.notes, *_cycle_note(seen)),
        requeue_after=pause or None,
    )


def _cycle_note(seen: QueueSeen) -> tuple[Note, ...]:
    """One event each time that the queue becomes part of another cycle of parents."""
    if not seen.cycle or seen.cycle == seen.reported_cycle:
        return ()
    message = (
        f"spec.parent forms a cycle: {' -> '.join(seen.cycle)}; PodGroups of these queues and of those below them are not "
        "admitted until the parent of one of them is changed"
    )
    return (Note(PARENT_CYCLE, message, "Warning"),)


def _patches(seen: QueueSeen, mark: bool | None) -> list[Action]:
    """The parent that is meant by none, and the mark by which a queue is opened again with its parent.

    The mark is set before the queue is closed and taken away after it is open: whatever dies between, it opens again.
    """
    patch: Body = {}
    if not seen.queue.spec.parent and seen.name != names.ROOT_QUEUE:
        patch["spec"] = {"parent": names.ROOT_QUEUE}
    if mark and not seen.closed_by_parent:
        patch["metadata"] = {"annotations": {names.CLOSED_BY_PARENT: "true"}}
    return [Patch(QUEUE, "", seen.name, patch, uid=seen.queue.metadata.uid)] if patch else []


def _unmark(seen: QueueSeen, mark: bool | None) -> list[Action]:
    if mark is not False or not seen.closed_by_parent:
        return []
    patch = {"metadata": {"annotations": {names.CLOSED_BY_PARENT: "false"}}}
    return [Patch(QUEUE, "", seen.name, patch, uid=seen.queue.metadata.uid)]


def _stored(seen: QueueSeen) -> Body:
    return dict(seen.body.get("status") or {})


def _status(seen: QueueSeen, state: QueueState) -> Body:
    """The stored status with what is ours to say; counters that are 0 are left out, as everywhere."""
    kept = {key: value for key, value in _stored(seen).items() if key not in COUNTS}
    counts = {name: seen.groups[phase] for name, phase in COUNTS.items() if seen.groups.get(phase)}
    allocated = {} if seen.allocated is None else {"allocated": dict(seen.allocated)}
    return {**kept, **allocated, **counts, "state": state.value}


def _pause(seen: QueueSeen, status: Body) -> float:
    """Seconds to hold back a status that differs in counters only."""
    if status.get("state") != _stored(seen).get("state") or seen.commands or seen.wrote_ago is None:
        return 0.0
    return max(0.0, seen.count_seconds - seen.wrote_ago)
