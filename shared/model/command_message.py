"""The JSON that a Command on a JobFlow may have in `message`: details of the action. It is in `message` because
Volcano's CRD of Commands prunes fields that Volcano does not know. A message that does not
begin with "{" is text for people. A new action with a message is added to MESSAGES.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.model.phases import FlowAction
from shared.model.types import Count, Model, Positive

MAX_MESSAGE: Final = 65_536  # characters


class CommandMessage(Model, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every such message. An unknown field is an error, because it would have no effect."""


class StopMessage(CommandMessage, frozen=True, kw_only=True):
    """Of TerminateJobFlow. `finally_`: the attempt of each step of `finally` that is to be ended too; `flows`: of each step
    with `flow` whose flow is to be stopped in the same way, `finally` included.
    """

    finally_: Annotated[dict[str, Positive], Meta(description="Attempts to end, by step of `finally`.")] = (
        msgspec.field(default={}, name="finally")
    )
    flows: Annotated[
        dict[str, Positive], Meta(description="Attempts whose flows end with their `finally`, by step.")
    ] = {}


class RetryMessage(CommandMessage, frozen=True, kw_only=True):
    """Of RetryJobFlow. Without `from_` and `step`: the failed steps. `attempt`: only if the named step has begun so many."""

    from_: Annotated[str, Meta(description="This step and all steps after it.")] = msgspec.field(
        default="", name="from"
    )
    step: Annotated[str, Meta(description="This step alone.")] = ""
    attempt: Annotated[Count | None, Meta(description="Number of attempts that the named step must have begun.")] = None
    params: Annotated[dict[str, str], Meta(description="New values of params, by name.")] = {}
    active_deadline_seconds: Annotated[
        Positive | None, Meta(description="New deadline of the flow, in seconds from now.")
    ] = None
    now: Annotated[bool, Meta(description="Start next attempts without their back-off.")] = False

    @property
    def named(self) -> str:
        """The step that the message names, "" for none."""
        return self.from_ or self.step


class ApprovalDecision(StrEnum):
    """What a person decides about a step with `approve`."""

    APPROVED = "Approved"
    REJECTED = "Rejected"


class ApproveMessage(CommandMessage, frozen=True, kw_only=True):
    """Of ApproveStep. Who decides is in an annotation of the Command, which the API server compares with the sender."""

    step: Annotated[str, Meta(description="The step that waits.")]
    attempt: Annotated[Positive, Meta(description="Its attempt: an answer to an earlier one has no effect.")]
    decision: ApprovalDecision
    message: Annotated[str, Meta(max_length=1024, description="Why, for people.")] = ""


MESSAGES: Final[dict[str, type[CommandMessage]]] = {
    FlowAction.TERMINATE: StopMessage,
    FlowAction.RETRY: RetryMessage,
    FlowAction.APPROVE: ApproveMessage,
}


class MessageFault(ValueError):
    """A JSON message that is invalid for its action. `field`: for example "message.finally"."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def parse_message(action: str, text: str) -> CommandMessage | None:
    """The parsed message of a Command; None if it is text for users. Raises MessageFault."""
    model = MESSAGES.get(action)
    if model is None or not text.lstrip().startswith("{"):
        return None
    if len(text) > MAX_MESSAGE:
        raise MessageFault("message", f"must have at most {MAX_MESSAGE} characters")
    try:
        found = msgspec.json.decode(text, type=model)
    except (msgspec.DecodeError, RecursionError) as fault:
        said, _, path = str(fault).partition(" - at `$")
        known = ", ".join(field.encode_name for field in msgspec.structs.fields(model))
        place = f"message{path.rstrip('`')}"
        raise MessageFault(place, f"{said[:1].lower()}{said[1:]}; {action} takes JSON with {known}") from fault
    if isinstance(found, RetryMessage):
        _check(found)
    return found


def _check(found: RetryMessage) -> None:
    if found.from_ and found.step:
        raise MessageFault("message.step", "may not be set together with from: name one step")
    if found.attempt is not None and not found.named:
        raise MessageFault("message.attempt", "needs a step: set from or step")


def written(message: CommandMessage) -> str:
    """The message as JSON."""
    return msgspec.json.encode(message).decode()
