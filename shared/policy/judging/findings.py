"""Judges one object by all policies. If several policies find the same violation, the strictest mode counts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec

from shared.kinds import JOBFLOW
from shared.model.phases import PolicyMode
from shared.model.types import Body
from shared.names import LAST_APPLIED
from shared.policy.compiled.policy import CompiledPolicy
from shared.policy.context import DELETE, UPDATE, PolicyContext
from shared.policy.exceptions import NO_EXCEPTIONS_GRANTED, Exceptions
from shared.policy.judging.changes import new_faults, stored_context
from shared.policy.judging.faults import MOST, FaultsFound, faults_found
from shared.policy.judging.finding import PolicyFinding
from shared.policy.match import applies
from shared.policy.raw import mapping
from shared.timestamp import rfc3339

_STRICTNESS: Final = {PolicyMode.AUDIT: 0, PolicyMode.WARN: 1, PolicyMode.ENFORCE: 2}


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
    yield from _findings(policy, context, faults_found(policy, context, exceptions, MOST), exceptions)


def _findings(
    policy: CompiledPolicy, context: PolicyContext, faults: FaultsFound, exceptions: Exceptions
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


def _new(policy: CompiledPolicy, context: PolicyContext, exceptions: Exceptions) -> FaultsFound:
    """The faults that are reported: of an update, without those that the stored object has as well.

    A fault that an exception allows for the stored object, but not for the changed one, is new.
    """
    if context.old is None or context.operation == DELETE:
        return faults_found(policy, context, exceptions, MOST)
    faults = faults_found(policy, context, exceptions, None)  # new ones may follow many that are stored
    stored = stored_context(context)
    before = FaultsFound()
    if (faults.counted or faults.excepted) and applies(policy, stored):
        before = faults_found(policy, stored, exceptions, None)
    excepted = (*before.counted, *before.excepted)
    return FaultsFound(
        tuple(islice(new_faults(faults.counted, before.counted, policy.rules, context), MOST)),
        tuple(islice(new_faults(faults.excepted, excepted, policy.rules, context), MOST)),
    )


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
