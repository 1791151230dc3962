"""Compiles JobFlowPolicies: their expressions and patterns, once for each version of a policy."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from shared.codec.api_words import in_api_words, split_place
from shared.duration import seconds_or
from shared.expressions import Program, ResultType, compile_expression, policy_scope
from shared.model.phases import PolicyMode
from shared.model.policy import DefaultField, JobFlowPolicySpec, PolicyOperation, UsageLists
from shared.model.types import Body
from shared.policy.compiled.check import policy_faults
from shared.policy.compiled.rules import CompiledRule, compiled_rule
from shared.policy.compiled.users import CompiledUsers, compile_users
from shared.policy.compiled.validity import CompiledValidity, compile_validity
from shared.policy.compiled.variables import CompiledVariable, FieldPaths, compile_variables, fields_of
from shared.policy.patterns.fields import Patterns, patterns_of
from shared.policy.patterns.globs import Globs, globs
from shared.policy.quota.quota import Quota, quotas_of
from shared.violation import Violation

_REMEMBERED: Final = 4096
_JUDGED: Final = frozenset((PolicyOperation.CREATE, PolicyOperation.UPDATE))


class CompiledDefault(msgspec.Struct, frozen=True):
    """A default that is computed. `fields`: the fields that its expression reads."""

    field: DefaultField
    key: str
    program: Program
    fields: FieldPaths


class CompiledPolicy(msgspec.Struct, frozen=True):
    """`allowed`, `denied`: patterns by API name, only for the fields that the policy restricts. `exception_seconds`: the
    longest time for which an exception may have effect."""

    name: str
    spec: JobFlowPolicySpec
    mode: PolicyMode
    variables: tuple[CompiledVariable, ...]
    rules: tuple[CompiledRule, ...]
    default_values: tuple[CompiledDefault, ...]
    allowed: Mapping[str, Patterns]
    denied: Mapping[str, Patterns]
    label_values: Mapping[str, Globs]
    operations: frozenset[PolicyOperation]
    users: CompiledUsers | None
    validity: CompiledValidity
    quotas: tuple[Quota, ...]
    exempt_usernames: Globs
    exempt_groups: Globs
    exempt_namespaces: Globs
    exception_namespaces: Globs
    exception_seconds: float


class Policies(msgspec.Struct, frozen=True):
    """The valid policies in the order of their names, and the faults of the others by name."""

    compiled: tuple[CompiledPolicy, ...] = ()
    broken: Mapping[str, tuple[Violation, ...]] = {}


_NO_POLICIES: Final = Policies()


def compile_policy(body: Body) -> CompiledPolicy | tuple[Violation, ...]:
    """The compiled policy, or all its faults. Never raises."""
    try:
        spec = msgspec.convert(body.get("spec") or {}, JobFlowPolicySpec)
    except msgspec.ValidationError as error:
        message, place = split_place(str(error))
        return (Violation(f"spec{place}", in_api_words(message)),)
    faults = tuple(policy_faults(spec))
    if faults:
        return faults
    exempt, exceptions = spec.exempt, spec.exceptions
    variables = compile_variables(spec.variables)
    name = str((body.get("metadata") or {}).get("name") or "")
    return CompiledPolicy(
        name=name,
        spec=spec,
        mode=spec.mode or PolicyMode.ENFORCE,
        variables=variables,
        rules=tuple(_rules(spec, variables)),
        default_values=tuple(_default_values(spec, variables)),
        allowed=_patterns(spec.allowed),
        denied=_patterns(spec.denied),
        label_values={key: globs(texts) for key, texts in spec.required.label_values.items()} if spec.required else {},
        operations=frozenset(spec.match.operations if spec.match else ()) or _JUDGED,
        users=compile_users(spec.match.users if spec.match else None),
        validity=compile_validity(spec.validity),
        quotas=tuple(quotas_of(name, spec.limits)),
        exempt_usernames=globs(exempt.usernames if exempt else ()),
        exempt_groups=globs(exempt.groups if exempt else ()),
        exempt_namespaces=globs(exempt.namespaces if exempt else ()),
        exception_namespaces=globs(exceptions.allowed_namespaces if exceptions else ()),
        exception_seconds=seconds_or(exceptions.max_duration if exceptions else None, 0),
    )


class Compiler:
    """Caches compiled policies by uid and generation. Objects without a uid (files) are compiled each time."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], CompiledPolicy | tuple[Violation, ...]] = {}

    def compile(self, bodies: Iterable[Body]) -> Policies:
        compiled: list[CompiledPolicy] = []
        broken: dict[str, tuple[Violation, ...]] = {}
        for body in bodies:
            made = self._compiled(body)
            if isinstance(made, CompiledPolicy):
                compiled.append(made)
            else:
                broken[str(body["metadata"]["name"])] = made
        if not compiled and not broken:
            return _NO_POLICIES
        return Policies(tuple(sorted(compiled, key=lambda policy: policy.name)), broken)

    def _compiled(self, body: Body) -> CompiledPolicy | tuple[Violation, ...]:
        metadata = body["metadata"]
        key = (str(metadata.get("uid") or ""), metadata.get("generation") or 0)
        if not all(key):
            return compile_policy(body)
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = compile_policy(body)
        return self._known[key]


def _rules(spec: JobFlowPolicySpec, variables: Sequence[CompiledVariable]) -> Iterable[CompiledRule]:
    scope = policy_scope(variable.name for variable in variables)
    for rule in spec.rules:
        program = compile_expression(rule.expression, scope, ResultType.BOOL)
        message = compile_expression(rule.message_expression, scope, ResultType.STRING)
        if isinstance(program, Program):  # always, because policy_faults has compiled it without problems
            computed = message if isinstance(message, Program) else None
            yield compiled_rule(rule.name, rule.message, program, computed, variables)


def _default_values(spec: JobFlowPolicySpec, variables: Sequence[CompiledVariable]) -> Iterable[CompiledDefault]:
    scope = policy_scope(variable.name for variable in variables)
    for each in spec.defaults.values if spec.defaults else ():
        program = compile_expression(each.value_expression, scope, ResultType.STRING_INT_BOOL)
        if isinstance(program, Program):  # see _rules
            yield CompiledDefault(each.field, each.key, program, fields_of(program, variables))


def _patterns(lists: UsageLists | None) -> dict[str, Patterns]:
    if lists is None:
        return {}
    texts = {field.encode_name: getattr(lists, field.name) for field in msgspec.structs.fields(UsageLists)}
    return {name: patterns_of(name, patterns) for name, patterns in texts.items() if patterns}
