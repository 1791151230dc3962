"""Judges one object by all policies. If several policies find the same violation, the strictest mode counts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from shared.kinds import JOBFLOW
from shared.model.phases import PolicyMode
from shared.model.types import Body
from shared.names import LAST_APPLIED
from shared.policy.compiled.policy import CompiledPolicy
from shared.policy.compiled.rules import rule_faults
from shared.policy.compiled.variables import values_of
from shared.policy.context import UPDATE, PolicyContext, mapping
from shared.policy.exceptions import NO_EXCEPTIONS_GRANTED, Exceptions
from shared.policy.fault import PolicyFault
from shared.policy.judging.allowed import allowed_faults, denied_faults
from shared.policy.judging.changes import new_faults, stored_context
from shared.policy.judging.limits import limit_faults
from shared.policy.judging.required import required_faults
from shared.policy.match import applies
from shared.timestamp import rfc3339
from shared.violation import Reason, Violation

MOST: Final = 100  # the most findings of one policy about one object that are reported
_STRICTNESS: Final = {PolicyMode.AUDIT: 0, PolicyMode.WARN: 1, PolicyMode.ENFORCE: 2}
_WARNING: Final = 119  # the length that every client shows


class PolicyFinding(msgspec.Struct, frozen=True):
    """A violation of a policy. `superseded`: another policy reports it more strictly, so this one is only counted.

    `excepted_by`: the JobFlowPolicyException that allows it until `excepted_until`, '' if none does; `note`: why an
    exception that is about it has no effect.
    """

    policy: str
    mode: PolicyMode
    rule: str
    path: str
    message: str
    value: Any = None
    reason: Reason = Reason.INVALID
    about: str = ""
    superseded: bool = False
    excepted_by: str = ""
    excepted_until: str = ""
    note: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is reported to users as a violation."""
        return not self.superseded and not self.excepted_by

    @property
    def violation(self) -> Violation:
        where = f'policy "{self.policy}", {self.rule}' + (f"; {self.note}" if self.note else "")
        return Violation(self.path, f"{self.message} ({where})", self.value, self.reason)

    @property
    def warning(self) -> str:
        """One line that clients show completely. If it is too long, the list of allowed values is shortened first."""
        head = f"policy {self.policy} ({self.rule}): {self.path}: "
        text = head + (f'"{self.value}" ' if isinstance(self.value, str) else "") + self.message
        return text if len(text) <= _WARNING else text[: _WARNING - 3] + "..."

    @property
    def excepted_warning(self) -> str:
        """What users are told of a violation that an exception allows."""
        return f'policy {self.policy} ({self.rule}): excepted by "{self.excepted_by}" until {self.excepted_until}'

    def __str__(self) -> str:
        """The text for logs, reports and audit annotations."""
        return f"{self.rule}: {Violation(self.path, self.message, self.value, self.reason)}"


def judge(
    context: PolicyContext,
    policies: Iterable[CompiledPolicy],
    between: Callable[[], object] = lambda: None,
    exceptions: Exceptions = NO_EXCEPTIONS_GRANTED,
) -> tuple[PolicyFinding, ...]:
    """The findings of all policies that match the object. `between` is called after each policy; it may raise.

    An update is judged by what it changes: violations that the stored object already has are not reported.
    """
    found: list[PolicyFinding] = []
    for policy in relevant(context, policies):
        found.extend(_findings(policy, context, _new(policy, context, exceptions), exceptions))
        between()
    return _strictest(found)


def relevant(context: PolicyContext, policies: Iterable[CompiledPolicy]) -> Iterator[CompiledPolicy]:
    """The policies that apply to the object. Suspending a flow is never refused, so no policy applies to that update."""
    if not _only_suspends(context):
        yield from (policy for policy in policies if applies(policy, context))


def findings(
    policy: CompiledPolicy, context: PolicyContext, exceptions: Exceptions = NO_EXCEPTIONS_GRANTED
) -> Iterator[PolicyFinding]:
    """The findings of one policy that applies to the object, however they came about."""
    yield from _findings(policy, context, _parted(policy, context, exceptions, MOST), exceptions)


class _Faults(msgspec.Struct, frozen=True):
    """The faults that count, and those that exceptions allow."""

    counted: tuple[PolicyFault, ...] = ()
    excepted: tuple[PolicyFault, ...] = ()


def _findings(
    policy: CompiledPolicy, context: PolicyContext, faults: _Faults, exceptions: Exceptions
) -> Iterator[PolicyFinding]:
    """The faults as findings. Those of a template are moved to its place; what it cannot say is judged later."""
    for fault in (*faults.counted, *faults.excepted):
        path = fault.path if context.embedded is None else context.embedded.path_text(fault.path)
        if path is None:
            continue
        about = f"{fault.rule if not fault.about else fault.about}\n{path}"
        by = exceptions.allowing(policy, fault.rule, context)
        yield PolicyFinding(
            policy.name,
            policy.mode,
            fault.rule,
            path,
            fault.message,
            fault.value,
            fault.reason,
            about,
            excepted_by=by.name if by else "",
            excepted_until=rfc3339(by.expires) if by else "",
            note="" if by else exceptions.without_effect(policy, fault.rule, context),
        )


def _new(policy: CompiledPolicy, context: PolicyContext, exceptions: Exceptions) -> _Faults:
    """The faults that are reported: of an update, without those that the stored object has as well.

    A fault that an exception allows for the stored object, but not for the changed one, is new.
    """
    faults = _parted(policy, context, exceptions, MOST)
    if context.old is None or not (faults.counted or faults.excepted):
        return faults
    stored = stored_context(context)
    before = _parted(policy, stored, exceptions, None) if applies(policy, stored) else _Faults()
    return _Faults(
        tuple(new_faults(faults.counted, before.counted, policy.rules, context)),
        tuple(new_faults(faults.excepted, (*before.counted, *before.excepted), policy.rules, context)),
    )


def _parted(policy: CompiledPolicy, context: PolicyContext, exceptions: Exceptions, most: int | None) -> _Faults:
    """All faults, at most `most` of each sort, so that many excepted ones do not displace others."""
    counted: list[PolicyFault] = []
    excepted: list[PolicyFault] = []
    known: dict[str, bool] = {}
    for fault in _faults(policy, context):
        if fault.rule not in known:
            known[fault.rule] = exceptions.allowing(policy, fault.rule, context) is not None
        kept = excepted if known[fault.rule] else counted
        if most is None or len(kept) < most:
            kept.append(fault)
        elif kept is counted:
            break
    return _Faults(tuple(counted), tuple(excepted))


def _faults(policy: CompiledPolicy, context: PolicyContext) -> Iterator[PolicyFault]:
    spec = policy.spec
    if spec.limits is not None:
        yield from limit_faults(spec.limits, context)
    yield from allowed_faults(policy.allowed, context)
    yield from denied_faults(policy.denied, context)
    if spec.required is not None:
        yield from required_faults(spec.required, context)
    if policy.rules:
        yield from rule_faults(policy.rules, values_of(policy.variables, context), context)


def _strictest(found: Sequence[PolicyFinding]) -> tuple[PolicyFinding, ...]:
    top: dict[str, int] = {}
    for each in found:
        if each.excepted_by:
            continue
        top[each.about] = max(top.get(each.about, 0), _STRICTNESS[each.mode])
    return tuple(
        msgspec.structs.replace(each, superseded=True) if _STRICTNESS[each.mode] < top.get(each.about, 0) else each
        for each in found
    )


def _only_suspends(context: PolicyContext) -> bool:
    if context.operation != UPDATE or context.kind is not JOBFLOW or not context.spec.get("suspend").true:
        return False
    old, new = mapping((context.old or {}).get("spec")), mapping(context.body.get("spec"))
    suspends = old.get("suspend") is not True and {**old, "suspend": True} == new
    return (
        suspends
        and context.old_labels == context.labels
        and _annotations(context.old or {}) == _annotations(context.body)
    )


def _annotations(body: Body) -> Body:
    """Without kubectl's copy of the manifest, which contains `suspend` as well."""
    annotations = mapping(mapping(body.get("metadata")).get("annotations"))
    return {key: value for key, value in annotations.items() if key != LAST_APPLIED}
