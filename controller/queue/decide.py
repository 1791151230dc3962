"""What to do about a Queue: its state, its counters, its parent, and the built-in queues. Pure functions."""

from typing import Any, Final

from controller.decision import Action, Create, Decision, Note, Patch
from controller.queue.commands import command_effects
from controller.queue.observed import QueueObservation
from controller.queue.states import when_drained, with_parent_state
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
    """Create the queues root and default when they do not exist."""
    if name not in ALWAYS_THERE:
        return Decision()
    spec: dict[str, Any] = {"weight": 1, "reclaimable": name != names.ROOT_QUEUE}
    if name != names.ROOT_QUEUE:
        spec["parent"] = names.ROOT_QUEUE
    body = {"apiVersion": QUEUE.api_version, "kind": QUEUE.kind, "metadata": {"name": name}, "spec": spec}
    return Decision(actions=(Create(QUEUE, body),))


def decide(observed: QueueObservation) -> Decision:
    """Parent, annotation, state and counters. A queue that is being deleted is not changed."""
    if observed.queue.metadata.deletion_timestamp:
        return Decision()
    effects = command_effects(observed)
    state, mark = with_parent_state(observed, effects.state)
    if effects.opened and observed.closed_by_parent:
        mark = False
    state = when_drained(observed, state)
    status = _status(observed, state)
    pause = _pause(observed, status) if status != _stored(observed) else 0.0
    return Decision(
        actions=tuple(_patches(observed, mark)),
        status=None if pause else status,
        cleanup=(*_unmark(observed, mark), *effects.cleanup),
        notes=(*effects.notes, *_cycle_note(observed)),
        requeue_after=pause or None,
    )


def _cycle_note(observed: QueueObservation) -> tuple[Note, ...]:
    """One event each time that the queue becomes part of another cycle of parents."""
    if not observed.cycle or observed.cycle == observed.reported_cycle:
        return ()
    message = (
        f"spec.parent forms a cycle: {' -> '.join(observed.cycle)}; PodGroups of these queues and of those below them are not "
        "admitted until the parent of one of them is changed"
    )
    return (Note(PARENT_CYCLE, message, "Warning"),)


def _patches(observed: QueueObservation, mark: bool | None) -> list[Action]:
    """Set the default parent, and the annotation of a queue that is closed by its parent.

    The annotation is set before the queue is closed and removed after it is open, so that a controller that stops in
    between leaves a queue that is opened again with its parent.
    """
    patch: Body = {}
    if not observed.queue.spec.parent and observed.name != names.ROOT_QUEUE:
        patch["spec"] = {"parent": names.ROOT_QUEUE}
    if mark and not observed.closed_by_parent:
        patch["metadata"] = {"annotations": {names.CLOSED_BY_PARENT: "true"}}
    return [Patch(QUEUE, "", observed.name, patch, uid=observed.queue.metadata.uid)] if patch else []


def _unmark(observed: QueueObservation, mark: bool | None) -> list[Action]:
    if mark is not False or not observed.closed_by_parent:
        return []
    patch = {"metadata": {"annotations": {names.CLOSED_BY_PARENT: "false"}}}
    return [Patch(QUEUE, "", observed.name, patch, uid=observed.queue.metadata.uid)]


def _stored(observed: QueueObservation) -> Body:
    return dict(observed.body.get("status") or {})


def _status(observed: QueueObservation, state: QueueState) -> Body:
    """The stored status with state, counters and allocated resources; counters that are 0 are left out."""
    kept = {key: value for key, value in _stored(observed).items() if key not in COUNTS}
    counts = {name: observed.groups[phase] for name, phase in COUNTS.items() if observed.groups.get(phase)}
    allocated = {} if observed.allocated is None else {"allocated": dict(observed.allocated)}
    return {**kept, **allocated, **counts, "state": state.value}


def _pause(observed: QueueObservation, status: Body) -> float:
    """Seconds for which a status that differs in counters only is held back."""
    if status.get("state") != _stored(observed).get("state") or observed.commands or observed.wrote_ago is None:
        return 0.0
    return max(0.0, observed.count_seconds - observed.wrote_ago)
