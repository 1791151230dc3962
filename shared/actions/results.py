"""The result of a Command on a JobFlow, read from the flow's status. Pure."""

from shared.model.phases import FlowOutcome
from shared.model.types import Body

DONE = "Done"
WITHOUT_EFFECT = "WithoutEffect"


def result_of(flow: Body, command: Body) -> tuple[str, str] | None:
    """(result, message) once the controller has carried the Command out, as in `status.commandResults`; else None.

    The message is "" if the Command was carried out so long ago that its result is no longer kept.
    """
    status, uid = flow.get("status") or {}, command["metadata"]["uid"]
    for result in status.get("commandResults") or ():
        if result.get("uid") == uid:
            return str(result.get("result", "")), str(result.get("message", ""))
    return (DONE, "") if uid in (status.get("handledCommands") or ()) else None


def why_retry_waits(flow: Body) -> str:
    """Why a retry takes effect only later, or ""."""
    status = flow.get("status") or {}
    if status.get("completionTime"):
        return ""
    if status.get("finallyStartTime"):
        return "the steps of `finally` run"
    if status.get("outcome") in (FlowOutcome.TERMINATED, FlowOutcome.DEADLINE_EXCEEDED):
        return "the flow is being stopped"
    return ""
