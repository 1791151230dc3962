"""The target JobFlow of a Command with a message: as stored, and as the Command would change it."""

from collections.abc import Iterable
from typing import Any, Final

from shared import kinds
from shared.kinds import JOBFLOW
from shared.model.command_message import CommandMessage, MessageFault, RetryMessage, parse_message
from shared.model.types import Body
from shared.names import COMMANDED_BY
from webhook.subject.lookups import MissingObject
from webhook.subject.plain_subjects import CommandSubject
from webhook.subject.subjects import body_or_empty

_JUDGED: Final = "being judged"  # placeholder for the uid that the API server will assign to the Command


def changed_flow(command: CommandSubject) -> tuple[Body, Body] | None:
    """(the stored flow, the flow as the Command would change it), or None if the Command changes no field of the spec."""
    message, flow = understood(command), whole_flow(command)
    if flow is None or not isinstance(message, RetryMessage):
        return None
    change: dict[str, Any] = {}
    if message.params:
        change["params"] = [
            {**param, "value": message.params.get(str(param.get("name")), param.get("value", ""))}
            for param in params_of(flow)
        ]
    if message.active_deadline_seconds is not None:
        change["activeDeadlineSeconds"] = message.active_deadline_seconds
    if not change:
        return None
    metadata = flow["metadata"]
    annotations = {**body_or_empty(metadata.get("annotations")), COMMANDED_BY: _JUDGED}
    return flow, {**flow, "metadata": {**metadata, "annotations": annotations}, "spec": {**flow["spec"], **change}}


def flow_to_read(body: Body, namespace: str) -> Iterable[MissingObject]:
    """The flow to read from the API server before the message of a Command is validated, because caches may be stale."""
    target, message = body_or_empty(body.get("target")), body.get("message")
    if target.get("kind") != JOBFLOW.kind or not isinstance(message, str) or not message.lstrip().startswith("{"):
        return
    name = target.get("name")
    if isinstance(name, str) and name and namespace:
        yield MissingObject(JOBFLOW, namespace, name)


def target_flow(command: CommandSubject) -> Body | None:
    """The target of the Command, if it is known; None if the flow of that name has another uid."""
    target = command.spec.target
    if target is None or target.kind != JOBFLOW.kind:
        return None
    found = command.lookups.get(kinds.JOBFLOW, command.namespace, target.name)
    return found if found is not None and found["metadata"].get("uid") == target.uid else None


def whole_flow(command: CommandSubject) -> Body | None:
    """As target_flow, but None if only the part that caches keep is known (it has no kind)."""
    found = target_flow(command)
    return found if found is not None and found.get("kind") == JOBFLOW.kind else None


def parsed(command: CommandSubject) -> CommandMessage | None:
    """The message of a Command on a JobFlow. Raises MessageFault."""
    target = command.spec.target
    if target is None or target.kind != JOBFLOW.kind:
        return None
    return parse_message(command.spec.action, command.spec.message)


def understood(command: CommandSubject) -> CommandMessage | None:
    """As parsed; None if the message is invalid."""
    try:
        return parsed(command)
    except MessageFault:
        return None


def params_of(flow: Body) -> list[Body]:
    """`spec.params`."""
    return list(body_or_empty(flow.get("spec")).get("params") or ())
