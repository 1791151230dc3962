"""Rules of JobFlowPolicyException: what its policies allow, its end, and its immutable spec.

The policies are compared again whenever the exception matters, because they may change.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from shared import kinds
from shared.policy import CompiledPolicy, compile_policy
from shared.policy.exceptions import GrantedException, exception_faults, read_exception, why_not_allowed
from shared.policy.rule_names import rule_names
from shared.timestamp import epoch_or_none, is_date_time, rfc3339
from shared.violation import Reason, Violation
from webhook.subject.policy_subjects import ExceptionSubject

_LISTED: Final = 20


def exception_fields_can_work(exception: ExceptionSubject) -> Iterator[Violation]:
    yield from exception_faults(exception.spec)


def exception_ends_later(exception: ExceptionSubject) -> Iterator[Violation]:
    text = exception.spec.expires_at
    expires = epoch_or_none(text) if is_date_time(text) else None
    if expires is not None and exception.now is not None and expires <= exception.now:
        yield Violation("spec.expiresAt", f"must be in the future; it is {rfc3339(exception.now)}", text)


def policies_allow_the_exception(exception: ExceptionSubject) -> Iterator[Violation]:
    """Each policy exists, allows exceptions in this namespace for so long, and has the rules. Offline, only what is known."""
    granted = read_exception(_placed(exception))
    for index, each in enumerate(exception.spec.policies):
        path = f"spec.policies[{index}]"
        body = exception.lookups.get(kinds.JOBFLOWPOLICY, "", each.name)
        if body is None:
            if exception.lookups.complete:
                yield Violation(f"{path}.name", "no such JobFlowPolicy", each.name, Reason.NOT_FOUND)
            continue
        policy = compile_policy(body)
        if not isinstance(policy, CompiledPolicy):
            message = f'policy "{each.name}" is invalid: kubectl describe jobflowpolicy {each.name}'
            yield Violation(f"{path}.name", message, reason=Reason.FORBIDDEN)
            continue
        yield from _allowed(path, policy, granted, exception.now)
        yield from _known_rules(path, policy, each.rules)


def exception_spec_is_immutable(exception: ExceptionSubject) -> Iterator[Violation]:
    if exception.old is not None and exception.old.get("spec") != exception.raw.get("spec"):
        yield Violation("spec", "may not be changed; create another exception", None, Reason.FORBIDDEN)


def _allowed(
    path: str, policy: CompiledPolicy, granted: GrantedException | None, now: float | None
) -> Iterator[Violation]:
    """What the policy says of an exception that can be read; the faults of others are reported already."""
    if granted is None or (granted.created is None and now is None):
        return
    if reason := why_not_allowed(granted, policy, now or 0.0):
        too_long = policy.exception_namespaces.fits(granted.namespace)
        yield Violation("spec.expiresAt" if too_long else f"{path}.name", reason, reason=Reason.FORBIDDEN)


def _known_rules(path: str, policy: CompiledPolicy, rules: tuple[str, ...]) -> Iterator[Violation]:
    known = list(rule_names(policy.spec))
    for index, rule in enumerate(rules):
        if rule not in known:
            near = get_close_matches(rule, known, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"rules: {', '.join(known[:_LISTED]) or 'none'}"
            message = f'policy "{policy.name}" has no such rule; {hint}'
            yield Violation(f"{path}.rules[{index}]", message, rule, Reason.NOT_FOUND)


def _placed(exception: ExceptionSubject) -> dict[str, object]:
    """The object in the namespace of the request."""
    return {**exception.raw, "metadata": {**exception.metadata, "namespace": exception.namespace}}
