"""The ValidatingAdmissionPolicy and the binding that are generated from the `rules` of a JobFlowPolicy. Pure.

The JobFlowPolicy is their parameter: they apply only while it exists in the version that they were generated from, and
while its `status.inProcess` lists the rule. An orphaned or outdated one therefore refuses nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from shared import kinds
from shared.kinds import Kind
from shared.model.phases import PolicyMode
from shared.model.types import Body
from shared.naming import label_value
from shared.policy import CompiledPolicy
from shared.policy.admission import changed
from shared.policy.admission.cel import EMPTY_MAP, field
from shared.policy.admission.matching import (
    ACTIONS,
    applied_before,
    applies,
    conditions,
    mode_condition,
    one_condition,
    only_suspends,
    resource_rule,
)
from shared.policy.admission.own_rules import changed_paths
from shared.policy.admission.sides import SIDES, Variable
from shared.policy.compiled.rules import CompiledRule
from shared.policy.embedded import JUDGED

GENERATED: Final = "policy.jobflow.dev/generated-by"
"""Label of the generated objects; its value is the prefix of their names."""
PREFIX: Final = "rules."
_NAMESPACE: Final = "kubernetes.io/metadata.name"


class RulesOption(msgspec.Struct, frozen=True):
    """`prefix`: of the names, empty if nothing is made; `warns`: no webhook prints the warnings of mode Warn; `excluded`:
    namespaces in which nothing is refused; `owner`: the chart's ValidatingAdmissionPolicy with which they are deleted."""

    prefix: str = ""
    warns: bool = False
    excluded: tuple[str, ...] = ()
    owner: str = ""


Made = tuple[tuple[Kind, Body], ...]
"""Objects and their kinds: the ValidatingAdmissionPolicy, then its binding; empty if nothing is to be made."""


def generated(
    policy: CompiledPolicy,
    generation: int | None,
    listed: Iterable[str],
    option: RulesOption,
    owner: Body | None = None,
) -> Made:
    """`listed`: the rules of `status.inProcess`; `owner`: the stored object that `option` names, None if it is unknown."""
    names = frozenset(listed)
    rules = [rule for rule in policy.rules if PREFIX + rule.name in names]
    if not option.prefix or not rules:
        return ()
    name = object_name(option.prefix, policy.name)
    metadata: Body = {"name": name, "labels": {GENERATED: label_value(option.prefix)}}
    if owner is not None:
        metadata["ownerReferences"] = [_reference(owner)]
    bodies = (_policy(policy, generation, rules), _binding(policy, name, option))
    made = (kinds.ADMISSION_POLICY, kinds.ADMISSION_POLICY_BINDING)
    return tuple(
        (kind, {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "spec": spec})
        for kind, spec in zip(made, bodies, strict=True)
    )


def _reference(owner: Body) -> Body:
    kind, metadata = kinds.ADMISSION_POLICY, owner["metadata"]
    return {"apiVersion": kind.api_version, "kind": kind.kind, "name": metadata["name"], "uid": metadata["uid"]}


def object_name(prefix: str, policy: str) -> str:
    """PREFIX-POLICY, shortened to 63 characters with a hash."""
    return label_value(f"{prefix}-{policy}")


def _policy(policy: CompiledPolicy, generation: int | None, rules: list[CompiledRule]) -> Body:
    """Contains the API server's defaults too, so that the stored object can be compared. If an expression fails, the
    object is admitted, because the webhook evaluates it as well."""
    matched = (
        ("mode", mode_condition(policy.mode)),
        ("generation", f"params.metadata.generation == {generation or 0}"),
        *conditions([PREFIX + rule.name for rule in rules]),
        only_suspends(),
    )
    return {
        "failurePolicy": "Ignore",
        "paramKind": {"apiVersion": kinds.JOBFLOWPOLICY.api_version, "kind": kinds.JOBFLOWPOLICY.kind},
        "matchConstraints": {**_everywhere(), "resourceRules": [resource_rule(kind) for kind in JUDGED]},
        "matchConditions": [one_condition(matched)],
        "variables": _named(_variables(policy, rules)),
        "validations": [_validation(index, rule) for index, rule in enumerate(rules)],
    }


def _binding(policy: CompiledPolicy, name: str, option: RulesOption) -> Body:
    warns_twice = policy.mode is PolicyMode.WARN and not option.warns
    action = ACTIONS[PolicyMode.AUDIT if warns_twice else policy.mode]
    excluded = {"key": _NAMESPACE, "operator": "NotIn", "values": list(option.excluded)}
    selector = {"matchExpressions": [excluded]} if option.excluded else {}
    return {
        "policyName": name,
        "paramRef": {"name": policy.name, "parameterNotFoundAction": "Allow"},
        "validationActions": [action],
        "matchResources": {**_everywhere(), "namespaceSelector": selector},
    }


def _everywhere() -> Body:
    return {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}


def _variables(policy: CompiledPolicy, rules: list[CompiledRule]) -> Iterator[Variable]:
    """Each expression of the JobFlowPolicy is a variable of its own, unchanged."""
    yield from ((variable.name, variable.program.text) for variable in policy.variables)
    for side in SIDES:
        yield side.name("labels"), field(f"{side.object}.metadata", "labels", EMPTY_MAP)
    yield "before", applied_before()
    yield "applies", applies()
    yield from changed.variables(path for rule in rules for path in changed_paths(rule))
    for index, rule in enumerate(rules):
        yield f"holds{index}", rule.program.text
        if rule.message_program is not None:
            yield f"says{index}", rule.message_program.text


def _validation(index: int, rule: CompiledRule) -> Body:
    said: Mapping[str, str] = {}
    if rule.message_program is not None:
        head = f"'policy \"' + params.metadata.name + '\" ({PREFIX}{rule.name}): '"
        said = {"messageExpression": f"{head} + variables.says{index}"}
    fixed = rule.message or f"must hold: {rule.program.text}"
    return {
        "expression": f"!(variables.applies && ({_judged(rule)})) || variables.holds{index}",
        "message": " ".join(f"{PREFIX}{rule.name}: {fixed}".split()),
        "reason": "Forbidden",
        **said,
    }


def _judged(rule: CompiledRule) -> str:
    """Whether the policy has not applied before, or the request changes something that the rule reads."""
    return " || ".join(("!variables.before", *(changed.has_changed(path) for path in changed_paths(rule))))


def _named(pairs: Iterable[tuple[str, str]]) -> list[Body]:
    return [{"name": name, "expression": expression} for name, expression in pairs]
