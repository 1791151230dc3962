"""Objects of other kinds that a step makes: what their conditions say. Pure."""

from collections.abc import Iterable
from typing import Final

import msgspec

from shared.model.types import Body
from shared.names import ATTEMPT, ITERATION, STEP
from shared.timestamp import epoch_or_none

MOST: Final = 100
"""Objects that the page of a step lists."""
_CONDITIONS: Final = 20


class ObjectCondition(msgspec.Struct, frozen=True):
    """`why`: reason and message."""

    type: str
    status: str
    why: str
    since: float | None


class MadeObject(msgspec.Struct, frozen=True):
    """`attempt`: 0 for the first; `deleted`: it is being deleted; `body`: the raw object."""

    name: str
    iteration: str
    attempt: int
    conditions: tuple[ObjectCondition, ...]
    created: float | None
    deleted: bool
    body: Body


def made_objects(flow: Body, step: str, bodies: Iterable[Body]) -> tuple[MadeObject, ...]:
    """Those of one step of the flow, the newest first."""
    uid = flow["metadata"].get("uid")
    found = [
        _object(body)
        for body in bodies
        if _labels(body).get(STEP) == step
        and any(owner.get("uid") == uid for owner in body["metadata"].get("ownerReferences") or ())
    ]
    return tuple(sorted(found, key=lambda each: (-(each.created or 0.0), each.name)))


def _object(body: Body) -> MadeObject:
    metadata, attempt = body["metadata"], str(_labels(body).get(ATTEMPT) or "")
    status = body.get("status")
    conditions = status.get("conditions") if isinstance(status, dict) else None
    return MadeObject(
        name=str(metadata["name"]),
        iteration=str(_labels(body).get(ITERATION) or ""),
        attempt=int(attempt) if attempt.isdecimal() else 0,
        conditions=tuple(_condition(each) for each in _dicts(conditions)[:_CONDITIONS]),
        created=epoch_or_none(metadata.get("creationTimestamp")),
        deleted=bool(metadata.get("deletionTimestamp")),
        body=body,
    )


def _condition(raw: Body) -> ObjectCondition:
    why = ": ".join(str(each) for each in (raw.get("reason"), raw.get("message")) if each)
    since = raw.get("lastTransitionTime")
    return ObjectCondition(
        str(raw.get("type") or ""),
        str(raw.get("status") or ""),
        why,
        epoch_or_none(since) if isinstance(since, str) else None,
    )


def _dicts(found: object) -> list[Body]:
    """Other people's kinds may have anything there."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _labels(body: Body) -> Body:
    return body["metadata"].get("labels") or {}
