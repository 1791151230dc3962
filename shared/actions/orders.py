"""Builds the Commands (bus.volcano.sh) that ask the controller to suspend, resume, stop, retry or restart. Pure."""

from collections.abc import Callable
from typing import Final

from shared.kinds import COMMAND
from shared.model.phases import FlowAction, FlowPhase, JobAction, JobPhase, QueueAction, QueueState
from shared.model.types import Body


def order(target: Body, action: str, verb: str, namespace: str) -> Body:
    """A Command for `target`, which owns it, so that it goes with its target. `verb`: part of its name."""
    metadata = target["metadata"]
    reference = {
        "apiVersion": target["apiVersion"],
        "kind": target["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": False,
    }
    return {
        "apiVersion": COMMAND.api_version,
        "kind": COMMAND.kind,
        "metadata": {
            "generateName": f"{metadata['name']}-{verb}-",
            "namespace": namespace,
            "ownerReferences": [reference],
        },
        "action": action,
        "target": reference,
        "message": f"jobflow {verb} {metadata['name']}",
    }


def aside(target: Body, action: str) -> str:
    """What makes the order needless as far as one can see, for people; it is given all the same: an earlier Command may
    still be under way."""
    return _ASIDES[action](target) if action in _ASIDES else ""


def _suspend(flow: Body) -> str:
    return "it is suspended already" if _spec(flow).get("suspend") else _ended(flow)


def _resume(flow: Body) -> str:
    return "" if _spec(flow).get("suspend") else "it is not suspended"


def _ended(flow: Body) -> str:
    phase = _phase(flow)
    return f"it has ended: {phase}" if phase in (FlowPhase.SUCCEED, FlowPhase.FAILED) else ""


def _retry(flow: Body) -> str:
    steps = (flow.get("status") or {}).get("steps") or ()
    broken = any(step.get("phase") in (JobPhase.FAILED, JobPhase.TERMINATED) for step in steps)
    return _of_volcano(flow) or ("" if broken else "none of its steps has failed")


def _of_volcano(flow: Body) -> str:
    """What Volcano's controller has finished is never touched again (docs/design/jobflow-api.md, section 7)."""
    ended = _ended(flow) and not (flow.get("status") or {}).get("observedGeneration")
    name = flow["metadata"]["name"]
    return f"it has ended under Volcano's controller, so nothing comes of it: jobflow run {name}" if ended else ""


def _suspend_job(job: Body) -> str:
    phase = _phase(job)
    if phase in (JobPhase.ABORTED, JobPhase.ABORTING):
        return "it is suspended already"
    return f"it has ended: {phase}" if phase in (JobPhase.COMPLETED, JobPhase.FAILED, JobPhase.TERMINATED) else ""


def _resume_job(job: Body) -> str:
    return "" if _phase(job) in (JobPhase.ABORTED, JobPhase.ABORTING) else "it is not suspended"


def _open(queue: Body) -> str:
    return "it is open" if (queue.get("status") or {}).get("state") in (None, "", QueueState.OPEN) else ""


def _close(queue: Body) -> str:
    return "it is closed already" if (queue.get("status") or {}).get("state") == QueueState.CLOSED else ""


def _spec(body: Body) -> Body:
    return body.get("spec") or {}


def _phase(body: Body) -> str:
    return str(((body.get("status") or {}).get("state") or {}).get("phase") or "")


_ASIDES: Final[dict[str, Callable[[Body], str]]] = {
    FlowAction.SUSPEND: _suspend,
    FlowAction.RESUME: _resume,
    FlowAction.TERMINATE: _ended,
    FlowAction.RETRY: _retry,
    FlowAction.RESTART: _of_volcano,
    JobAction.ABORT_JOB: _suspend_job,
    JobAction.RESUME_JOB: _resume_job,
    QueueAction.OPEN_QUEUE: _open,
    QueueAction.CLOSE_QUEUE: _close,
}
