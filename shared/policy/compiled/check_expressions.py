"""Validates the expressions of JobFlowPolicies: variables, rules, messages and computed defaults."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from shared.expressions import Program, ResultType, Scope, compile_expression, policy_scope
from shared.graphs.directed import duplicates
from shared.model.policy import DefaultField, DefaultValue, JobFlowPolicySpec, PolicyOperation
from shared.podtemplate.formats import label_value, qualified_name
from shared.policy.request import request_faults
from shared.violation import Reason, Violation

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_NEVER: Final = re.compile(r"""["'](CREATE|UPDATE|DELETE|CONNECT)["']""")
_DEFAULT: Final = (PolicyOperation.CREATE, PolicyOperation.UPDATE)
_OF_KEYS: Final = (DefaultField.LABELS, DefaultField.NODE_SELECTOR)
_STATIC: Final = {
    DefaultField.QUEUE: "queue",
    DefaultField.SCHEDULER_NAME: "scheduler_name",
    DefaultField.PRIORITY_CLASS_NAME: "priority_class_name",
    DefaultField.ACTIVE_DEADLINE_SECONDS: "active_deadline_seconds",
    DefaultField.TTL_SECONDS_AFTER_FINISHED: "ttl_seconds_after_finished",
}


def expression_faults(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    """All faults of the policy's expressions, and of what they are the values of."""
    yield from _variables(spec)
    yield from _rules(spec)
    yield from _default_values(spec)
    operations = _operations(spec)
    for path, text, scope, result in _expressions(spec):
        made = compile_expression(text, scope, result)
        if not isinstance(made, Program):
            yield from (Violation(path, str(problem), text) for problem in made)
        elif ("request", "operation") in made.fields:
            yield from _never(path, text, operations)


def request_field_faults(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    """Fields that the policy's expressions read of `request` and that no request has.

    Only a policy that is applied is refused for them: one that is stored stays in force, because its other rules work.
    """
    for path, text, scope, result in _expressions(spec):
        made = compile_expression(text, scope, result)
        if isinstance(made, Program):
            yield from (Violation(path, fault, text) for fault in request_faults(text, made.fields))


def _expressions(spec: JobFlowPolicySpec) -> Iterator[tuple[str, str, Scope, ResultType]]:
    """Path, text, scope and result of each expression. A variable sees those before it."""
    names = [variable.name for variable in spec.variables]
    for index, variable in enumerate(spec.variables):
        yield f"spec.variables[{index}].expression", variable.expression, policy_scope(names[:index]), ResultType.VALUE
    scope = policy_scope(names)
    for index, rule in enumerate(spec.rules):
        yield f"spec.rules[{index}].expression", rule.expression, scope, ResultType.BOOL
        if rule.message_expression:
            yield f"spec.rules[{index}].messageExpression", rule.message_expression, scope, ResultType.STRING
    for index, value in enumerate(spec.defaults.values if spec.defaults else ()):
        path = f"spec.defaults.values[{index}].valueExpression"
        yield path, value.value_expression, scope, ResultType.STRING_INT_BOOL


def _variables(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    yield from _repeated([variable.name for variable in spec.variables], "spec.variables")
    for index, variable in enumerate(spec.variables):
        if not _IDENTIFIER.fullmatch(variable.name):
            message = "must be a letter or _, followed by letters, digits and _"
            yield Violation(f"spec.variables[{index}].name", message, variable.name)


def _rules(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    yield from _repeated([rule.name for rule in spec.rules], "spec.rules")
    for index, rule in enumerate(spec.rules):
        path = f"spec.rules[{index}].name"
        if not rule.name:
            yield Violation(path, "violations are reported with it", reason=Reason.REQUIRED)
        yield from (Violation(path, fault, rule.name) for fault in label_value(rule.name))


def _default_values(spec: JobFlowPolicySpec) -> Iterator[Violation]:
    values = spec.defaults.values if spec.defaults else ()
    yield from _repeated([f"{each.field}[{each.key}]" for each in values], "spec.defaults.values", name="field")
    for index, each in enumerate(values):
        path = f"spec.defaults.values[{index}]"
        if each.field in _OF_KEYS:
            yield from (Violation(f"{path}.key", fault, each.key) for fault in qualified_name(each.key))
        elif each.key:
            yield Violation(f"{path}.key", "only for labels and nodeSelector", each.key)
        if _is_static(spec, each):
            yield Violation(f"{path}.field", "spec.defaults sets it as well", each.field.value, Reason.DUPLICATE)


def _is_static(spec: JobFlowPolicySpec, value: DefaultValue) -> bool:
    if value.field is DefaultField.LABELS:
        return spec.defaults is not None and value.key in spec.defaults.labels
    if value.field is DefaultField.NODE_SELECTOR:
        return spec.defaults is not None and value.key in spec.defaults.node_selector
    return getattr(spec.defaults, _STATIC[value.field], None) not in (None, "")


def _never(path: str, text: str, operations: Sequence[PolicyOperation]) -> Iterator[Violation]:
    """The operation that an expression compares `request.operation` with although the policy does not judge it."""
    never = next((found[1] for found in _NEVER.finditer(text) if found[1] not in operations), None)
    if never:
        judged = " and ".join(operations)
        message = f'the policy judges {judged} only, so request.operation is never "{never}" (spec.match.operations)'
        yield Violation(path, message, text)


def _operations(spec: JobFlowPolicySpec) -> tuple[PolicyOperation, ...]:
    return (spec.match.operations if spec.match is not None else ()) or _DEFAULT


def _repeated(names: Sequence[str], path: str, name: str = "name") -> Iterator[Violation]:
    repeated, seen = set(duplicates(names)), set[str]()
    for index, each in enumerate(names):
        if each in repeated and each in seen:
            yield Violation(f"{path}[{index}].{name}", "", each, Reason.DUPLICATE)
        seen.add(each)
