"""The buttons: what each does, in words and as data. Pure."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from shared.actions.commands import why_no_effect
from shared.kinds import CRONJOB, CRONJOBFLOW, JOB, JOBFLOW, QUEUE, Kind
from shared.model.phases import FlowAction, JobAction, QueueAction
from shared.model.types import Body


class GiveOrder(msgspec.Struct, frozen=True):
    """Create a Command. `verb`: part of its name."""

    action: str
    verb: str


class DeleteObject(msgspec.Struct, frozen=True):
    """Delete the object, and with it what it owns."""


class ChangeObject(msgspec.Struct, frozen=True):
    """A merge patch."""

    change: Body


Work = GiveOrder | DeleteObject | ChangeObject


class Deed(msgspec.Struct, frozen=True):
    """`does`: what it will do, in a sentence; `done`: what is said afterwards; `loses`: work is lost, so it is asked
    twice."""

    name: str
    title: str
    does: str
    done: str
    work: Work
    loses: bool = False


class OfferedDeed(msgspec.Struct, frozen=True):
    """`aside`: why it seems to have no effect on this object now; such a button is not shown."""

    deed: Deed
    aside: str


def _deed(name: str, title: str, does: str, done: str, work: Work, *, loses: bool = False) -> tuple[str, Deed]:
    return name, Deed(name, title, does, done, work, loses)


def _pausing(what: str) -> dict[str, Deed]:
    return dict(
        (
            _deed(
                "suspend",
                "Suspend",
                f"It starts no more {what}; what runs goes on.",
                "is suspended",
                ChangeObject({"spec": {"suspend": True}}),
            ),
            _deed(
                "resume",
                "Resume",
                f"It starts {what} again when they are due.",
                "goes on",
                ChangeObject({"spec": {"suspend": False}}),
            ),
        )
    )


_FLOW: Final = dict(
    (
        _deed(
            "suspend",
            "Suspend",
            "It starts no new Jobs; running ones go on.",
            "starts no new Jobs",
            GiveOrder(FlowAction.SUSPEND, "suspend"),
        ),
        _deed("resume", "Resume", "It starts Jobs again.", "is being resumed", GiveOrder(FlowAction.RESUME, "resume")),
        _deed(
            "retry",
            "Retry failed steps",
            "Failed and terminated steps, and those skipped because of them, run again. Completed steps stay.",
            "runs its failed steps again",
            GiveOrder(FlowAction.RETRY, "retry"),
        ),
        _deed(
            "stop",
            "Stop",
            "Running Jobs are terminated, the other steps are skipped, and the steps of finally run.",
            "is being stopped",
            GiveOrder(FlowAction.TERMINATE, "stop"),
            loses=True,
        ),
        _deed(
            "restart",
            "Restart",
            "All steps run again from the beginning. Their Jobs and pods are deleted, with their logs.",
            "runs all steps again",
            GiveOrder(FlowAction.RESTART, "restart"),
            loses=True,
        ),
        _deed(
            "delete",
            "Delete",
            "The flow is deleted with its Jobs, their pods and their logs. This cannot be undone.",
            "is being deleted",
            DeleteObject(),
            loses=True,
        ),
    )
)
_JOB: Final = dict(
    (
        _deed(
            "suspend",
            "Suspend",
            "Its pods are deleted; the Job stays and can be resumed.",
            "is being suspended",
            GiveOrder(JobAction.ABORT_JOB, "suspend"),
            loses=True,
        ),
        _deed(
            "resume",
            "Resume",
            "Its pods are created again.",
            "is being resumed",
            GiveOrder(JobAction.RESUME_JOB, "resume"),
        ),
        _deed(
            "delete",
            "Delete",
            "The Job is deleted with its pods and their logs. A flow that owns it may count it as failed.",
            "is being deleted",
            DeleteObject(),
            loses=True,
        ),
    )
)
_QUEUE: Final = dict(
    (
        _deed("open", "Open", "It accepts Jobs again.", "is being opened", GiveOrder(QueueAction.OPEN_QUEUE, "open")),
        _deed(
            "close",
            "Close",
            "It accepts no more Jobs; those in it go on.",
            "is being closed",
            GiveOrder(QueueAction.CLOSE_QUEUE, "close"),
            loses=True,
        ),
    )
)
DEEDS: Final[Mapping[str, tuple[Kind, Mapping[str, Deed]]]] = {
    JOBFLOW.plural: (JOBFLOW, _FLOW),
    JOB.plural: (JOB, _JOB),
    QUEUE.plural: (QUEUE, _QUEUE),
    CRONJOBFLOW.plural: (CRONJOBFLOW, _pausing("flows")),
    CRONJOB.plural: (CRONJOB, _pausing("Jobs")),
}
BULK: Final = ("suspend", "resume", "retry", "stop", "delete")
"""What can be done to several flows at once."""


def offered(kind: Kind, body: Body) -> tuple[OfferedDeed, ...]:
    """The buttons of an object, in order."""
    return tuple(OfferedDeed(deed, _aside(body, deed)) for deed in DEEDS[kind.plural][1].values())


def _aside(body: Body, deed: Deed) -> str:
    if isinstance(deed.work, GiveOrder):
        return why_no_effect(body, deed.work.action)
    if isinstance(deed.work, ChangeObject):
        suspended = bool((body.get("spec") or {}).get("suspend"))
        return _SUSPENDED[deed.name](suspended)
    return ""


_SUSPENDED: Final[Mapping[str, Callable[[bool], str]]] = {
    "suspend": lambda suspended: "it is already suspended" if suspended else "",
    "resume": lambda suspended: "" if suspended else "it is not suspended",
}
