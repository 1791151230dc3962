"""Whether a flow runs as a step of another one, which is counted instead of it.

An owner reference is written by whoever creates the flow. It counts only if the owner exists, has not ended, and has a
step that creates a flow of this name. The controller also compares the owner's status (`created_by`), so that a forged
flow that the webhook has admitted is held.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from shared import ranges
from shared.kinds import JOBFLOW
from shared.model.phases import StepPhase
from shared.model.step import raw_steps
from shared.model.types import Body
from shared.names import ATTEMPT, ITERATION, STEP
from shared.naming import job_name
from shared.policy.quota.flow_standing import flow_has_ended
from shared.policy.raw import elements, mapping

Find = Callable[[str], Body | None]
"""The JobFlow of a name in the namespace of the flow."""

_MOST_LEVELS: Final = 10
_NUMBER: Final = re.compile(r"0|[1-9]\d{0,8}", re.ASCII)
_ENDED: Final = frozenset(phase.value for phase in StepPhase if phase.ended)


def runs_as_step(flow: Body, find: Find, *, strict: bool = False) -> bool:
    """Whether a step of another flow runs this one. Flows that own each other in a cycle run as no step.

    `strict`: the bodies that `find` returns have a status, and it is compared too.
    """
    levels = 0
    while (owner := _owner(flow, find, strict=strict)) is not None:
        flow, levels = owner, levels + 1
        if levels > _MOST_LEVELS:
            return False
    return levels > 0


def _owner(flow: Body, find: Find, *, strict: bool) -> Body | None:
    for reference in elements(mapping(flow.get("metadata")).get("ownerReferences")):
        given = mapping(reference)
        group = str(given.get("apiVersion", "")).rpartition("/")[0]
        if given.get("controller") is True and (group, given.get("kind")) == (JOBFLOW.group, JOBFLOW.kind):
            owner = find(str(given.get("name", "")))
            if owner is None or owner["metadata"].get("uid") != given.get("uid") or flow_has_ended(owner):
                return None
            return owner if _creates(owner, flow, strict=strict) else None
    return None


def _creates(owner: Body, flow: Body, *, strict: bool) -> bool:
    """Whether a step of the owner creates a flow of this name; `strict`: now or next."""
    labels = mapping(flow["metadata"].get("labels"))
    name, attempt, index = labels.get(STEP), _number(labels.get(ATTEMPT, "0")), _number(labels.get(ITERATION, ""))
    if not isinstance(name, str) or attempt is None:
        return False
    if not any(mapping(step).get("name") == name and mapping(step).get("flow") for step in raw_steps(owner)):
        return False
    if job_name(str(owner["metadata"]["name"]), name, index, attempt) != flow["metadata"].get("name"):
        return False
    return not strict or _runs_now(owner, name, attempt, index)


def _runs_now(owner: Body, name: str, attempt: int, index: int | None) -> bool:
    """Whether the attempt is the step's current or next one, by the owner's status."""
    steps = elements(mapping(owner.get("status")).get("steps"))
    state = next((mapping(step) for step in steps if mapping(step).get("name") == name), {})
    if state.get("phase") in _ENDED:
        return False
    begun: Any = state.get("attempts") or 0
    if index is None:
        return attempt in (begun - 1, begun)
    return index not in set(_over(mapping(state.get("iterations"))))


def _over(iterations: Body) -> Iterator[int]:
    for field in ("completedIndexes", "failedIndexes", "terminatedIndexes", "skippedIndexes"):
        yield from ranges.parse(str(iterations.get(field) or ""))


def _number(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and _NUMBER.fullmatch(text) else None
