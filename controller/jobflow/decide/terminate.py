"""Terminates running Jobs by Commands, which any Job controller understands (docs/design/jobflow-api.md, section 6)."""

from collections.abc import Iterator
from typing import Final

from controller.decision import Create
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import ObservedJob
from shared.kinds import COMMAND, JOB
from shared.model.phases import JobAction, JobPhase
from shared.naming import command_name

_AGAIN: Final = 30.0  # seconds until a Command that has had no effect yet is sent once more
_GOING: Final = (JobPhase.TERMINATING, JobPhase.COMPLETING)


def terminations(context: FlowContext) -> Iterator[Create]:
    """One Command for each Job, every 30 s until the Job has ended. A refused one is retried after 1, 2, 4, ... 30 s."""
    for job in context.terminating.values():
        if job.phase in _GOING or job.deleting:
            continue
        last, again = _last_try(context, job)
        # A time in the future was recorded by a clock that has been set back since.
        if last is not None and last <= context.now < again:
            context.wake_at(again)
            continue
        context.wake_at(context.now + _AGAIN)
        yield Create(COMMAND, _command(job, context.observed.flow.metadata.namespace))


def _last_try(context: FlowContext, job: ObservedJob) -> tuple[float | None, float]:
    """When a Command was last sent or refused (None: never), and when to send the next one."""
    sent, refusal = context.observed.terminate_sent.get(job.uid), context.observed.refusals.get(command_name(job.name))
    if refusal is not None and refusal.at >= (sent or 0.0):
        return refusal.at, refusal.at + min(2.0 ** (refusal.count - 1), _AGAIN)
    return sent, (sent or 0.0) + _AGAIN


def _command(job: ObservedJob, namespace: str) -> dict[str, object]:
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
