"""Causes that prevent a Job from creating its children: missing objects that a user must create, and refusals of the
API server.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from controller.decision import Action, Refusal
from controller.job import reasons
from controller.job.model import volumes
from controller.job.model.defaults import EffectiveSpec
from controller.job.model.observed import JobObservation
from controller.job.model.plugin_objects import PLUGIN_KINDS
from controller.job.model.record import JobRecord
from controller.job.react import refusals
from controller.job.react.refusals import Blocker
from shared import names
from shared.model.phases import QueueState
from shared.model.queue import Queue

_MOST: Final = 1000  # characters of a message


def missing(observed: JobObservation, record: JobRecord, wanted: EffectiveSpec) -> Blocker | None:
    """Missing objects that only a user can create, and a queue that only a user can open. If the queue `default` is
    missing, it has no limits."""
    if observed.queue is None and wanted.queue != names.DEFAULT_QUEUE:
        return Blocker(reasons.QUEUE_NOT_FOUND, f"queue {wanted.queue} does not exist; the Job waits for it")
    if observed.group is None and (state := _closed_state(observed.queue, record)):
        message = f"queue {wanted.queue} is {state}; the Job waits until it is opened"
        return Blocker(reasons.QUEUE_CLOSED, message)
    if absent := volumes.missing_claims(observed.job, observed.claims):
        message = f"PersistentVolumeClaim {', '.join(absent)} does not exist; the Job waits for it"
        return Blocker(reasons.VOLUME_CLAIM_NOT_FOUND, message)
    return None


def _closed_state(queue: Queue | None, record: JobRecord) -> str:
    """`closed` or `closing` where the queue does not start the Job, empty where it does. A queue that is closing waits
    for the Jobs that run in it, which may restart. It starts no other Job, such as one that is resumed."""
    state = queue.status.state if queue is not None else None
    if state is QueueState.CLOSED or (state is QueueState.CLOSING and record.active_since is None):
        return state.lower()
    return ""


def held(actions: Iterable[Action], observed: JobObservation) -> list[tuple[Action, Refusal]]:
    """The actions that were refused and whose back-off lasts, with the refusal."""
    found = ((action, refusals.refusal_of(action, observed)) for action in actions)
    return [(action, refusal) for action, refusal in found if refusal is not None]


def combined(conflicts: Sequence[str], refused: Sequence[tuple[Action, Refusal]]) -> Blocker | None:
    """One blocker for all of them: a refusal that is about more than a name goes first, all conflicts are named."""
    other = [refusal for _, refusal in refused if refusal.code != refusals.TAKEN]
    if other:
        return refusals.blocker(other[0])
    leaving = [refusal.message for _, refusal in refused if refusal.leaving]
    taken = [refusal.message for action, refusal in refused if not refusal.leaving and action.kind in _KINDS]
    foreign = [refusal for action, refusal in refused if not refusal.leaving and action.kind not in _KINDS]
    if conflicts or taken:
        return Blocker(reasons.PLUGIN_CONFLICT, "; ".join(dict.fromkeys((*conflicts, *taken, *leaving)))[:_MOST])
    if foreign:
        return refusals.blocker(foreign[0])
    return Blocker(reasons.WAITING_FOR_DELETION, "; ".join(dict.fromkeys(leaving))[:_MOST]) if leaving else None


_KINDS: Final = frozenset(PLUGIN_KINDS.values())
