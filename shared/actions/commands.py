"""Builds the Commands (bus.volcano.sh) of users, and says why one seems to have no effect. Pure."""

from collections.abc import Callable
from typing import Final

from shared.kinds import COMMAND
from shared.model.phases import FlowAction, FlowPhase, JobAction, JobPhase, QueueAction, QueueState
from shared.model.types import Body


def command_for(target: Body, action: str, verb: str, namespace: str, message: str = "", name: str = "") -> Body:
    """A Command for `target`. The target owns it, so that both are deleted together. `verb`: part of its name.

    `message`: JSON for the controller (shared.model.command_message); default: text for people. `name`: default: generated
    by the API server.
    """
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
            **({"name": name} if name else {"generateName": f"{metadata['name']}-{verb}-"}),
            "namespace": namespace,
            "ownerReferences": [reference],
        },
        "action": action,
        "target": reference,
        "message": message or f"jobflow {verb} {metadata['name']}",
    }


def why_no_effect(target: Body, action: str) -> str:
    """Why the Command seems to have no effect, for users; '' otherwise.

    It is sent anyway, because an earlier Command may still be in progress.
    """
    return _NO_EFFECT[action](target) if action in _NO_EFFECT else ""


def _suspend(flow: Body) -> str:
    return "it is already suspended" if _spec(flow).get("suspend") else _ended(flow)


def _resume(flow: Body) -> str:
    return "" if _spec(flow).get("suspend") else "it is not suspended"


def _ended(flow: Body) -> str:
    phase = _phase(flow)
    return f"it has ended: {phase}" if phase in (FlowPhase.SUCCEED, FlowPhase.FAILED) else ""


def _retry(flow: Body) -> str:
    steps = (flow.get("status") or {}).get("steps") or ()
    broken = any(step.get("phase") in (JobPhase.FAILED, JobPhase.TERMINATED) for step in steps)
    return _ended_under_volcano(flow) or ("" if broken else "none of its steps has failed")


def _ended_under_volcano(flow: Body) -> str:
    """Our controller does not change flows that ended under Volcano's controller (docs/design/jobflow-api.md, section 7)."""
    ended = _ended(flow) and not (flow.get("status") or {}).get("observedGeneration")
    name = flow["metadata"]["name"]
    return f"it has ended under Volcano's controller and cannot run again; use jobflow run {name}" if ended else ""


def _suspend_job(job: Body) -> str:
    phase = _phase(job)
    if phase in (JobPhase.ABORTED, JobPhase.ABORTING):
        return "it is already suspended"
    return f"it has ended: {phase}" if phase in (JobPhase.COMPLETED, JobPhase.FAILED, JobPhase.TERMINATED) else ""


def _resume_job(job: Body) -> str:
    return "" if _phase(job) in (JobPhase.ABORTED, JobPhase.ABORTING) else "it is not suspended"


def _open(queue: Body) -> str:
    return "it is already open" if (queue.get("status") or {}).get("state") in (None, "", QueueState.OPEN) else ""


def _close(queue: Body) -> str:
    return "it is already closed" if (queue.get("status") or {}).get("state") == QueueState.CLOSED else ""


def _spec(body: Body) -> Body:
    return body.get("spec") or {}


def _phase(body: Body) -> str:
    return str(((body.get("status") or {}).get("state") or {}).get("phase") or "")


_NO_EFFECT: Final[dict[str, Callable[[Body], str]]] = {
    FlowAction.SUSPEND: _suspend,
    FlowAction.RESUME: _resume,
    FlowAction.TERMINATE: _ended,
    FlowAction.RETRY: _retry,
    FlowAction.RESTART: _ended_under_volcano,
    JobAction.ABORT_JOB: _suspend_job,
    JobAction.RESUME_JOB: _resume_job,
    QueueAction.OPEN_QUEUE: _open,
    QueueAction.CLOSE_QUEUE: _close,
}
