"""Validates the message of a Command on a JobFlow (shared.model.command_message) against the flow. The JobFlow
controller validates it again when it executes the Command, because the flow may have changed.
"""

from collections.abc import Iterator

from shared.model.command_message import MessageFault, RetryMessage, StopMessage
from shared.model.types import Body
from shared.violation import Reason, Violation
from webhook.hints.names import did_you_mean
from webhook.subject.commanded_flow import params_of, parsed, target_flow, understood, whole_flow
from webhook.subject.plain_subjects import CommandSubject
from webhook.subject.subjects import body_or_empty


def message_is_understood(command: CommandSubject) -> Iterator[Violation]:
    try:
        parsed(command)
    except MessageFault as fault:
        yield Violation(fault.field, str(fault), command.spec.message)


def message_names_steps_of_the_flow(command: CommandSubject) -> Iterator[Violation]:
    message, flow = understood(command), target_flow(command)
    if flow is None:
        return
    flows, finals = (_names(flow, field) for field in ("flows", "finally"))
    if isinstance(message, StopMessage):
        for name in message.finally_:
            if name not in finals:
                yield _unknown(f"message.finally[{name}]", name, finals, "step of `finally`")
        for name in message.flows:
            if name not in flows:
                yield _unknown(f"message.flows[{name}]", name, flows, "step of `flows`")
    elif isinstance(message, RetryMessage) and message.named and message.named not in {*flows, *finals}:
        yield _unknown(f"message.{'from' if message.from_ else 'step'}", message.named, [*flows, *finals], "step")


def message_names_params_of_the_flow(command: CommandSubject) -> Iterator[Violation]:
    message, flow = understood(command), whole_flow(command)
    if flow is None or not isinstance(message, RetryMessage):
        return
    known = [str(param.get("name")) for param in params_of(flow)]
    for name in message.params:
        if name not in known:
            yield _unknown(f"message.params[{name}]", name, known, "param")


def _names(flow: Body, field: str) -> list[str]:
    return [str(step.get("name")) for step in body_or_empty(flow.get("spec")).get(field) or ()]


def _unknown(path: str, name: str, known: list[str], what: str) -> Violation:
    there = f"; known: {', '.join(known[:10])}" if known else "; it has none"
    return Violation(path, f"the flow has no such {what}{did_you_mean(name, known) or there}", name, Reason.NOT_FOUND)
