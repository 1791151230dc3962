"""Steps that wait for a person, and the answers given so far. Pure."""

from collections.abc import Mapping

import msgspec

from drawing.nested import StepPlace
from shared import duration
from shared.model.phases import StepPhase
from shared.model.step import OnTimeout
from shared.model.types import Body
from shared.names import CREATOR
from shared.timestamp import epoch_or_none


class WaitingApproval(msgspec.Struct, frozen=True):
    """A step that waits for a person. `shown`: its name on the page of the outermost flow; `flow`, `step`: where it is;
    `until`: the end of its wait, in seconds since 1970; `then`: what happens then; `creator`: of the flow."""

    shown: str
    namespace: str
    flow: str
    step: str
    attempt: int
    message: str
    since: float | None
    until: float | None
    then: OnTimeout
    creator: str


class GivenAnswer(msgspec.Struct, frozen=True):
    """`user`: '' after the timeout."""

    decision: str
    user: str
    at: float | None
    message: str


def waiting_approvals(places: Mapping[str, StepPlace]) -> tuple[WaitingApproval, ...]:
    """In the order of the places."""
    found = []
    asking: dict[int, Mapping[str, Body]] = {}  # by the identity of the flow
    for shown, place in places.items():
        if id(place.body) not in asking:
            asking[id(place.body)] = _asking(place.body)
        if (approve := asking[id(place.body)].get(place.step)) is None:
            continue
        state = _named(place.body.get("status") or {}, "steps", place.step)
        if state.get("phase") == StepPhase.PENDING and state.get("attempts") and not state.get("approval"):
            found.append(_waiting(shown, place, approve, state))
    return tuple(found)


def given_answer(flow: Body, step: str) -> GivenAnswer | None:
    found = _named(flow.get("status") or {}, "steps", step).get("approval")
    if not found:
        return None
    said = (str(found.get(each) or "") for each in ("decision", "user", "message"))
    decision, user, message = said
    return GivenAnswer(decision, user, epoch_or_none(found.get("time")), message)


def _asking(flow: Body) -> Mapping[str, Body]:
    """What steps with `approve` ask for, by name."""
    steps = (flow.get("spec") or {}).get("flows") or ()
    return {str(step.get("name")): step["approve"] for step in steps if step.get("approve") is not None}


def _waiting(shown: str, place: StepPlace, approve: Body, state: Body) -> WaitingApproval:
    metadata = place.body["metadata"]
    since, timeout = epoch_or_none(state.get("startTime")), approve.get("timeout")
    until = None if since is None or timeout is None else since + duration.seconds_or(str(timeout), 0.0)
    return WaitingApproval(
        shown=shown,
        namespace=str(metadata.get("namespace") or ""),
        flow=str(metadata["name"]),
        step=place.step,
        attempt=int(state["attempts"]),
        message=str(state.get("message") or approve.get("message") or ""),
        since=since,
        until=until,
        then=OnTimeout.APPROVE if approve.get("onTimeout") == OnTimeout.APPROVE else OnTimeout.REJECT,
        creator=str((metadata.get("annotations") or {}).get(CREATOR) or ""),
    )


def _named(holder: Body, field: str, name: str) -> Body:
    found: Body = next((each for each in holder.get(field) or () if each.get("name") == name), {})
    return found
