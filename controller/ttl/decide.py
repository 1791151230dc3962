"""Decides when a finished Job is deleted (spec.ttlSecondsAfterFinished; docs/design/volcano-behaviour.md, section 3.12)."""

from typing import Final

from controller.decision import Decision, Delete
from shared import names
from shared.kinds import JOB
from shared.model.phases import JobPhase
from shared.model.types import Body
from shared.timestamp import epoch_or_none

FINISHED: Final = frozenset(phase for phase in JobPhase if phase.finished)
"""Aborted is not one of them: such a Job may be resumed."""


def expires_at(job: Body) -> float | None:
    """Epoch seconds at which a Job expires; None while it runs, without a TTL, when it is being deleted,
    or when another controller runs it."""
    metadata, state = job["metadata"], (job.get("status") or {}).get("state") or {}
    ttl = (job.get("spec") or {}).get("ttlSecondsAfterFinished")
    managed_by = (job.get("spec") or {}).get("managedBy") or (metadata.get("annotations") or {}).get(names.MANAGED_BY)
    if managed_by not in (None, "", names.JOB_CONTROLLER):
        return None
    if ttl is None or "deletionTimestamp" in metadata or state.get("phase") not in FINISHED:
        return None
    finished = epoch_or_none(state.get("lastTransitionTime"))
    return None if finished is None else finished + float(ttl)


def decide(job: Body, now: float) -> Decision:
    """Delete an expired Job, its dependents first. Before that, reconcile again when it expires."""
    at = expires_at(job)
    if at is None:
        return Decision()
    if now < at:
        return Decision(requeue_after=at - now)
    metadata = job["metadata"]
    delete = Delete(JOB, metadata.get("namespace", ""), metadata["name"], metadata["uid"], propagation="Foreground")
    return Decision(actions=(delete,))
