"""Messages of Commands on a JobFlow, built from the flow as the sender sees it. Pure. They name the attempts that the
sender sees, so that a late or repeated message has no effect on later attempts.
"""

from collections.abc import Iterator
from typing import Any

from shared.model.command_message import ApprovalDecision, ApproveMessage, RetryMessage, StopMessage
from shared.model.types import Body


def forced_stop(flow: Body) -> StopMessage:
    """A stop that also ends every step of `finally` that has not ended, here and in the flows that steps run."""
    states = _states(flow)
    return StopMessage(finally_=dict(_open_finals(flow, states)), flows=dict(_open_flows(flow, states)))


def retry_of(flow: Body, *, from_: str = "", step: str = "", **more: Any) -> RetryMessage:
    """A retry, of the named step only if it has begun no other attempt since. `more`: other fields of the message."""
    named = from_ or step
    attempt = _states(flow).get(named, {}).get("attempts", 0) if named else None
    return RetryMessage(from_=from_, step=step, attempt=attempt, **more)


def approval_of(flow: Body, step: str, *, approved: bool, text: str) -> ApproveMessage:
    """An answer for the attempt of the step that waits now. Raises ValueError, with the cause for people."""
    names = [one["name"] for one in (flow.get("spec") or {}).get("flows") or () if one.get("approve") is not None]
    if step not in names:
        there = f"; there are {', '.join(names)}" if names else ""
        raise ValueError(f'no step with approve named "{step}"{there}')
    attempt = _states(flow).get(step, {}).get("attempts", 0)
    if not attempt:
        raise ValueError(f"step {step} does not wait for approval yet")
    decision = ApprovalDecision.APPROVED if approved else ApprovalDecision.REJECTED
    return ApproveMessage(step=step, attempt=attempt, decision=decision, message=text)


def _open_finals(flow: Body, states: dict[str, Body]) -> Iterator[tuple[str, int]]:
    for step in (flow.get("spec") or {}).get("finally") or ():
        state = states.get(step["name"], {})
        if not state.get("completionTime"):
            yield step["name"], max(state.get("attempts", 0), state.get("attemptBase", 0) + 1)


def _open_flows(flow: Body, states: dict[str, Body]) -> Iterator[tuple[str, int]]:
    for step in (flow.get("spec") or {}).get("flows") or ():
        state = states.get(step["name"], {})
        if step.get("flow") is not None and state.get("attempts", 0) and not state.get("completionTime"):
            yield step["name"], state["attempts"]


def _states(flow: Body) -> dict[str, Body]:
    return {str(state.get("name")): state for state in (flow.get("status") or {}).get("steps") or ()}
