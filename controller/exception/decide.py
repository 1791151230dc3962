"""Decides the status of a JobFlowPolicyException: whether it is in effect now, and why not. Pure.

The status informs users only: the webhook and the scan evaluate exceptions themselves, so that an exception ends in
time even if its status is stale.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from controller.decision import Decision, Note
from shared.model.types import Body
from shared.policy import CompiledPolicy
from shared.policy.exceptions import GrantedException, read_exception, why_not_allowed
from shared.policy.rule_names import rule_names
from shared.timestamp import rfc3339

EFFECTIVE: Final = "Effective"
_LONGEST: Final = 1024


class ExceptionState(StrEnum):
    ACTIVE = "Active"
    EXPIRED = "Expired"
    INEFFECTIVE = "Ineffective"


class ExceptionDecision(Decision, frozen=True):
    """`expired`: this decision records that the exception has expired."""

    expired: bool = False


class _Finding(msgspec.Struct, frozen=True):
    """`reason`: one word for the condition; `message`: a sentence."""

    state: ExceptionState
    reason: str
    message: str


def decide(exception: Body, policies: Mapping[str, CompiledPolicy], now: float) -> ExceptionDecision:
    """The status at `now` (epoch seconds), an Event if it is no longer in effect, and when to reconcile again.

    `policies`: the valid policies by name. An exception that is being deleted is left alone.
    """
    if "deletionTimestamp" in exception["metadata"]:
        return ExceptionDecision()
    granted = read_exception(exception)
    found = _finding(granted, policies, now)
    before = (exception.get("status") or {}).get("state")
    status = _status(exception, granted, found, now)
    return ExceptionDecision(
        status=None if status == exception.get("status") else status,
        notes=() if before == found.state or found.state is ExceptionState.ACTIVE else (_note(found),),
        requeue_after=max(0.0, granted.expires - now) if granted is not None and now < granted.expires else None,
        expired=found.state is ExceptionState.EXPIRED and before != found.state,
    )


def _finding(granted: GrantedException | None, policies: Mapping[str, CompiledPolicy], now: float) -> _Finding:
    if granted is None:
        return _Finding(ExceptionState.INEFFECTIVE, "Invalid", "its spec cannot be read: create it again")
    if granted.changed:
        message = "its spec was changed after its creation: create another exception"
        return _Finding(ExceptionState.INEFFECTIVE, "Changed", message)
    if now >= granted.expires:
        names = ", ".join(sorted(granted.rules))
        message = f"expired at {rfc3339(granted.expires)}: {names} may not be violated any more"
        return _Finding(ExceptionState.EXPIRED, "Expired", message)
    problems = {name: list(_problems(granted, name, policies.get(name), now)) for name in sorted(granted.rules)}
    texts = "; ".join(text for found in problems.values() for text in found)
    if all(problems.values()) and not any(_works_in_part(granted, policies.get(name), now) for name in problems):
        return _Finding(ExceptionState.INEFFECTIVE, "NotAllowed", texts)
    message = f"has effect until {rfc3339(granted.expires)}" + (f"; except: {texts}" if texts else "")
    return _Finding(ExceptionState.ACTIVE, "Active", message)


def _problems(granted: GrantedException, name: str, policy: CompiledPolicy | None, now: float) -> Iterator[str]:
    """Why the exception is not in effect, or only in part, on one policy."""
    if policy is None:
        yield f'policy "{name}" does not exist or is invalid'
    elif reason := why_not_allowed(granted, policy, now):
        yield reason
    else:
        for rule in sorted(granted.rules[name] - set(rule_names(policy.spec))):
            yield f'policy "{name}" has no rule {rule}'


def _works_in_part(granted: GrantedException, policy: CompiledPolicy | None, now: float) -> bool:
    """Whether at least one of the named rules of the policy may be violated."""
    if policy is None or why_not_allowed(granted, policy, now):
        return False
    rules = granted.rules[policy.name]
    return not rules or bool(rules & set(rule_names(policy.spec)))


def _status(exception: Body, granted: GrantedException | None, found: _Finding, now: float) -> Body:
    before = ((exception.get("status") or {}).get("conditions") or [{}])[0]
    status = "True" if found.state is ExceptionState.ACTIVE else "False"
    since = before.get("lastTransitionTime") if before.get("status") == status else None
    generation = exception["metadata"].get("generation")
    condition = {
        "type": EFFECTIVE,
        "status": status,
        "reason": found.reason,
        "message": found.message[:_LONGEST],
        "observedGeneration": generation,
        "lastTransitionTime": since or rfc3339(now),
    }
    return {
        "state": found.state.value,
        "policies": [] if granted is None else sorted(granted.rules),  # in one list, for kubectl's column
        "observedGeneration": generation,
        "conditions": [condition],
    }


def _note(found: _Finding) -> Note:
    kind = "Normal" if found.state is ExceptionState.EXPIRED else "Warning"
    return Note(found.state.value, found.message[:_LONGEST], kind)
