"""The buttons: what each does, in words and as data. Pure."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from shared.actions.commands import why_no_effect
from shared.kinds import CRONJOB, CRONJOBFLOW, CRONJOBFLOWBACKFILL, JOB, JOBFLOW, QUEUE, Kind
from shared.model.phases import FlowAction, JobAction, QueueAction
from shared.model.types import Body


class SendCommand(msgspec.Struct, frozen=True):
    """Create a Command. `verb`: part of its name."""

    action: str
    verb: str


class DeleteObject(msgspec.Struct, frozen=True):
    """Delete the object, and with it what it owns."""


class ChangeObject(msgspec.Struct, frozen=True):
    """A merge patch."""

    change: Body


ButtonWork = SendCommand | DeleteObject | ChangeObject


class Button(msgspec.Struct, frozen=True):
    """`does`: what it will do, in a sentence; `done`: what is said afterwards; `loses_work`: work is lost, so it is asked
    twice."""

    name: str
    title: str
    does: str
    done: str
    work: ButtonWork
    loses_work: bool = False


class OfferedButton(msgspec.Struct, frozen=True):
    """`no_effect`: why it seems to have no effect on this object now; such a button is not shown."""

    button: Button
    no_effect: str


def _by_name(*buttons: Button) -> Mapping[str, Button]:
    return {button.name: button for button in buttons}


def _pausing(what: str) -> Mapping[str, Button]:
    return _by_name(
        Button(
            "suspend",
            "Suspend",
            f"It starts no more {what}; what already runs continues.",
            "is suspended",
            ChangeObject({"spec": {"suspend": True}}),
        ),
        Button(
            "resume",
            "Resume",
            f"It starts {what} again when they are due.",
            "is resumed",
            ChangeObject({"spec": {"suspend": False}}),
        ),
    )


_FLOW: Final = _by_name(
    Button(
        "suspend",
        "Suspend",
        "It starts no new Jobs; running Jobs continue.",
        "starts no new Jobs",
        SendCommand(FlowAction.SUSPEND, "suspend"),
    ),
    Button("resume", "Resume", "It starts Jobs again.", "is being resumed", SendCommand(FlowAction.RESUME, "resume")),
    Button(
        "retry",
        "Retry failed steps",
        "Failed and terminated steps, and those skipped because of them, run again. Completed steps stay.",
        "runs its failed steps again",
        SendCommand(FlowAction.RETRY, "retry"),
    ),
    Button(
        "stop",
        "Stop",
        "Running Jobs are terminated, the other steps are skipped, and the steps of finally run.",
        "is being stopped",
        SendCommand(FlowAction.TERMINATE, "stop"),
        loses_work=True,
    ),
    Button(
        "restart",
        "Restart",
        "All steps run again from the beginning. Their Jobs and pods are deleted, with their logs.",
        "runs all steps again",
        SendCommand(FlowAction.RESTART, "restart"),
        loses_work=True,
    ),
    Button(
        "delete",
        "Delete",
        "The flow is deleted with its Jobs, their pods and their logs. This cannot be undone.",
        "is being deleted",
        DeleteObject(),
        loses_work=True,
    ),
)
_JOB: Final = _by_name(
    Button(
        "suspend",
        "Suspend",
        "Its pods are deleted; the Job stays and can be resumed.",
        "is being suspended",
        SendCommand(JobAction.ABORT_JOB, "suspend"),
        loses_work=True,
    ),
    Button(
        "resume",
        "Resume",
        "Its pods are created again.",
        "is being resumed",
        SendCommand(JobAction.RESUME_JOB, "resume"),
    ),
    Button(
        "delete",
        "Delete",
        "The Job is deleted with its pods and their logs. A flow that owns it may count it as failed.",
        "is being deleted",
        DeleteObject(),
        loses_work=True,
    ),
)
_QUEUE: Final = _by_name(
    Button("open", "Open", "It accepts Jobs again.", "is being opened", SendCommand(QueueAction.OPEN_QUEUE, "open")),
    Button(
        "close",
        "Close",
        "It accepts no more Jobs; Jobs in it continue.",
        "is being closed",
        SendCommand(QueueAction.CLOSE_QUEUE, "close"),
    ),
)
_BACKFILL: Final = _by_name(
    Button(
        "delete",
        "Delete",
        "The backfill starts no more flows, and the flows that it has started are deleted with their Jobs and logs.",
        "is being deleted",
        DeleteObject(),
        loses_work=True,
    ),
)
BUTTONS: Final[Mapping[str, tuple[Kind, Mapping[str, Button]]]] = {
    JOBFLOW.plural: (JOBFLOW, _FLOW),
    JOB.plural: (JOB, _JOB),
    QUEUE.plural: (QUEUE, _QUEUE),
    CRONJOBFLOW.plural: (CRONJOBFLOW, _pausing("flows")),
    CRONJOB.plural: (CRONJOB, _pausing("Jobs")),
    CRONJOBFLOWBACKFILL.plural: (CRONJOBFLOWBACKFILL, _BACKFILL),
}
BULK: Final = ("suspend", "resume", "retry", "stop", "delete")
"""What can be done to several flows at once."""


def offered(kind: Kind, body: Body) -> tuple[OfferedButton, ...]:
    """The buttons of an object, in order."""
    return tuple(OfferedButton(button, why_idle(body, button)) for button in BUTTONS[kind.plural][1].values())


def why_idle(body: Body, button: Button) -> str:
    """Why the button seems to have no effect on the object now, or ''."""
    if isinstance(button.work, SendCommand):
        return why_no_effect(body, button.work.action)
    if isinstance(button.work, ChangeObject):
        suspended = bool((body.get("spec") or {}).get("suspend"))
        return _SUSPENDED[button.name](suspended)
    return ""


_SUSPENDED: Final[Mapping[str, Callable[[bool], str]]] = {
    "suspend": lambda suspended: "it is already suspended" if suspended else "",
    "resume": lambda suspended: "" if suspended else "it is not suspended",
}
