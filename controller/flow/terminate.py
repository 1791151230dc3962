"""Terminates running Jobs by Commands, whoever runs the Job controller (jobflow-api.md 6)."""

from collections.abc import Iterator
from typing import Final

from controller.decision import Create
from controller.flow.seen import JobSeen
from controller.flow.turn import Turn
from shared.kinds import COMMAND, JOB
from shared.model.phases import JobAction, JobPhase
from shared.naming import command_name

_AGAIN: Final = 30.0
_GOING: Final = (JobPhase.TERMINATING, JobPhase.COMPLETING)


def terminations(turn: Turn) -> Iterator[Create]:
    """One Command a Job, sent again every 30 s until the Job has ended."""
    for job in turn.kills.values():
        if job.phase in _GOING or job.deleting:
            continue
        last = turn.seen.ordered.get(job.uid)
        refusal = turn.seen.refusals.get(command_name(job.name))
        last = max((at for at in (last, refusal.at if refusal else None) if at is not None), default=None)
        # A moment that is still to come was told by a clock that has been set back since.
        if last is not None and last <= turn.now < last + _AGAIN:
            turn.wake_at(last + _AGAIN)
            continue
        turn.wake_at(turn.now + _AGAIN)
        yield Create(COMMAND, _command(job, turn.seen.flow.metadata.namespace))


def _command(job: JobSeen, namespace: str) -> dict[str, object]:
    owner = {
        "apiVersion": JOB.api_version,
        "kind": JOB.kind,
        "name": job.name,
        "uid": job.uid,
        "controller": True,
    }
    return {
        "apiVersion": COMMAND.api_version,
        "kind": COMMAND.kind,
        "metadata": {"name": command_name(job.name), "namespace": namespace, "ownerReferences": [owner]},
        "action": str(JobAction.TERMINATE_JOB),
        "target": owner,
        "reason": "JobFlow",
        "message": "terminated by its JobFlow",
    }
