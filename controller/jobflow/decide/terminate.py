"""Stops running children and resumes ended ones after a Command, each in the way of its type.

The write is repeated until it has had an effect (docs/design/jobflow-api.md, section 6).
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from controller.decision import Action
from controller.jobflow.children.registry import type_of_child
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.observed import ObservedChild
from shared.model.phases import JobPhase

_AGAIN: Final = 30.0  # seconds until a stop that has had no effect yet is sent once more
_FORCED_AGAIN: Final = 5.0  # the same where the stop also ends `finally` of a flow: each level adds as much
_GOING: Final = (JobPhase.TERMINATING, JobPhase.COMPLETING)


class ChildWrite(NamedTuple):
    """`uid`: of the child; `action`: the write that stops or resumes it."""

    uid: str
    action: Action


def terminations(context: FlowContext) -> Iterator[ChildWrite]:
    """One write for each child, every 30 s (5 s if it is forced) until the child has ended. A refused one is retried after 1, 2, 4, ... 30 s."""
    for child in context.terminating.values():
        if child.phase in _GOING or child.deleting:
            continue
        last, again = _last_try(context, child)
        # A time in the future was recorded by a clock that has been set back since.
        if last is not None and last <= context.now < again:
            context.wake_at(again)
            continue
        context.wake_at(context.now + _wait(context, child))
        yield ChildWrite(child.uid, type_of_child(child).stop(context, child))


def resumptions(context: FlowContext) -> Iterator[ChildWrite]:
    """The same for ended children that are to continue, until they do."""
    for child in context.resuming.values():
        last = context.observed.terminate_sent.get(child.uid)
        if last is not None and last <= context.now < last + _AGAIN:
            context.wake_at(last + _AGAIN)
            continue
        action = type_of_child(child).resume(context, child)
        if action is not None:
            context.wake_at(context.now + _AGAIN)
            yield ChildWrite(child.uid, action)


def _last_try(context: FlowContext, child: ObservedChild) -> tuple[float | None, float]:
    """When a stop was last sent or refused (None: never), and when to send the next one."""
    sent = context.observed.terminate_sent.get(child.uid)
    refusal = context.observed.refusals.get(type_of_child(child).stop_name(child))
    if refusal is not None and refusal.at >= (sent or 0.0):
        return refusal.at, refusal.at + min(2.0 ** (refusal.count - 1), _AGAIN)
    return sent, (sent or 0.0) + _wait(context, child)


def _wait(context: FlowContext, child: ObservedChild) -> float:
    return _FORCED_AGAIN if type_of_child(child).forces(context, child) else _AGAIN
