"""JobFlowPolicyExceptions: which violations of an object are allowed now.

An exception is judged whenever a violation is found, by the policy as it is then. So a policy that no longer allows
exceptions, or only shorter ones, ends those that exist.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from shared.duration import text as duration_text
from shared.model.policy_exception import JobFlowPolicyExceptionSpec
from shared.model.types import Body
from shared.podtemplate.field import Field
from shared.podtemplate.metadata import label_selector
from shared.policy.compiled.policy import CompiledPolicy
from shared.policy.context import PolicyContext
from shared.policy.patterns.globs import Globs, glob_fault, globs
from shared.policy.raw import mapping
from shared.policy.selector import selects, unknown_fields
from shared.timestamp import epoch_or_none, is_date_time, rfc3339
from shared.violation import Violation


class GrantedException(msgspec.Struct, frozen=True):
    """A JobFlowPolicyException that can be read. Its effect depends on the policy (`why_without_effect`).

    `rules`: rules by name of the policy, empty for all rules; `created`, `expires`: epoch seconds, `created` None for an
    object of a file; `changed`: its spec was changed after its creation, or it is being deleted.
    """

    namespace: str
    name: str
    rules: Mapping[str, frozenset[str]]
    kinds: tuple[str, ...]
    names: Globs
    selector: Mapping[str, Any] | None
    created: float | None
    expires: float
    changed: bool

    def is_about(self, policy: CompiledPolicy, rule: str, context: PolicyContext) -> bool:
        """Whether it names the rule of the policy and selects the object, by its state after the change."""
        rules = self.rules.get(policy.name)
        if rules is None or (rules and rule not in rules) or self.namespace != context.namespace:
            return False
        if self.kinds and not any(kind in self.kinds for kind in context.kinds):
            return False
        name = context.metadata.get("name")
        if self.names.texts and not (isinstance(name, str) and self.names.fits(name)):
            return False
        return selects(self.selector, context.labels)


class Exceptions:
    """The exceptions of all namespaces at one time. `of`: those of a namespace; `now`: epoch seconds, None if unknown: then
    none has effect."""

    def __init__(self, of: Callable[[str], Iterable[Body]] = lambda namespace: (), now: float | None = None) -> None:
        self._of = of
        self._now = now
        self._read: dict[str, tuple[GrantedException, ...]] = {}

    def allowing(self, policy: CompiledPolicy, rule: str, context: PolicyContext) -> GrantedException | None:
        """The first exception by name that allows the object to violate the rule."""
        about = self._about(policy, rule, context)
        return next((each for each, reason in about if not reason), None)

    def without_effect(self, policy: CompiledPolicy, rule: str, context: PolicyContext) -> str:
        """Why the first exception that is about the violation has no effect; '' if there is none."""
        about = self._about(policy, rule, context)
        return next((f'exception "{each.name}" {reason}' for each, reason in about if reason), "")

    def _about(
        self, policy: CompiledPolicy, rule: str, context: PolicyContext
    ) -> Iterator[tuple[GrantedException, str]]:
        """Each exception about the violation, and why it has no effect."""
        if self._now is None:
            return
        for each in self._in(context.namespace):
            if each.is_about(policy, rule, context):
                yield each, why_without_effect(each, policy, self._now)

    def _in(self, namespace: str) -> tuple[GrantedException, ...]:
        if namespace not in self._read:
            read = (read_exception(body) for body in self._of(namespace))
            self._read[namespace] = tuple(sorted((each for each in read if each is not None), key=_by_name))
        return self._read[namespace]


NO_EXCEPTIONS_GRANTED: Final = Exceptions()


def why_without_effect(exception: GrantedException, policy: CompiledPolicy, now: float) -> str:
    """Why the exception has no effect on the policy at `now` (epoch seconds), as a predicate; '' if it has."""
    if exception.changed:
        return "was changed after its creation or is being deleted"
    if now >= exception.expires:
        return f"expired at {rfc3339(exception.expires)}"
    reason = why_not_allowed(exception, policy, now)
    return f"has no effect: {reason}" if reason else ""


def why_not_allowed(exception: GrantedException, policy: CompiledPolicy, now: float) -> str:
    """Why the policy does not allow the exception; '' if it does."""
    allowed = policy.spec.exceptions
    if allowed is None:
        return f'policy "{policy.name}" allows no exceptions'
    if not policy.exception_namespaces.fits(exception.namespace):
        return f'policy "{policy.name}" allows no exceptions in namespace "{exception.namespace}"'
    created = now if exception.created is None else exception.created
    if exception.expires - created > policy.exception_seconds:
        most = duration_text(policy.exception_seconds)
        return f'policy "{policy.name}" allows at most {most} from the creation to expiresAt'
    return ""


def read_exception(body: Body) -> GrantedException | None:
    """The exception; None if its fields are invalid, since then it is unclear what it allows."""
    try:
        spec = msgspec.convert(body.get("spec"), JobFlowPolicyExceptionSpec)
    except msgspec.ValidationError:
        return None
    expires = epoch_or_none(spec.expires_at)
    if expires is None or any(exception_faults(spec)):
        return None
    metadata, match = mapping(body.get("metadata")), spec.match
    generation = metadata.get("generation")
    return GrantedException(
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
        rules=_rules(spec),
        kinds=match.kinds if match else (),
        names=globs(match.names if match else ()),
        selector=match.object_selector if match else None,
        created=epoch_or_none(metadata.get("creationTimestamp")),
        expires=expires,
        changed=bool(metadata.get("deletionTimestamp")) or (isinstance(generation, int) and generation > 1),
    )


def exception_faults(spec: JobFlowPolicyExceptionSpec) -> Iterator[Violation]:
    """The faults of the fields that can be judged without policies and without the time."""
    if not is_date_time(spec.expires_at):
        yield Violation("spec.expiresAt", 'must be an RFC 3339 time such as "2026-01-31T00:00:00Z"', spec.expires_at)
    for index, text in enumerate(spec.match.names if spec.match else ()):
        if fault := glob_fault(text):
            yield Violation(f"spec.match.names[{index}]", fault, text)
    selector = Field("spec.match.objectSelector", spec.match.object_selector if spec.match else None)
    yield from label_selector(selector)
    yield from unknown_fields(selector)


def _rules(spec: JobFlowPolicyExceptionSpec) -> dict[str, frozenset[str]]:
    """Rules by policy. Of two entries for one policy both hold."""
    found: dict[str, frozenset[str]] = {}
    for each in spec.policies:
        before = found.get(each.name)
        everything = not each.rules or before == frozenset()
        found[each.name] = frozenset() if everything else frozenset(each.rules) | (before or frozenset())
    return found


def _by_name(exception: GrantedException) -> str:
    return exception.name
