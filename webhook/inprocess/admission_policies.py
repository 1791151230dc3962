"""The ValidatingAdmissionPolicies for JobFlowPolicies, as the chart installs them: one of each mode for Jobs and flows."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from shared import kinds
from shared.kinds import Kind
from shared.model.types import Body
from shared.policy.admission.matching import (
    ACTIONS,
    Condition,
    applied_before,
    applies,
    conditions,
    mode_condition,
    one_condition,
    only_suspends,
    resource_rule,
)
from shared.policy.admission.sides import KIND, NEW, OLD, SIDES, ObjectSide, Variable
from webhook.inprocess import checks
from webhook.inprocess.checks import Check
from webhook.inprocess.values import flow_values, job_values

_MOST_TEXT: Final = 4000  # characters; the API server drops a longer message than 5 KiB


class JudgedKinds(NamedTuple):
    """Kinds that are judged in one way. `open`: CEL of whether texts may contain placeholders; `finished`: whether the
    Job is final, so that what it does not say has its default.
    """

    name: str
    kinds: tuple[Kind, ...]
    values: Callable[[ObjectSide], Iterator[Variable]]
    checks: Mapping[str, Check]
    open: str
    finished: str
    conditions: tuple[Condition, ...] = ()


JOBS: Final = JudgedKinds(
    "job",
    (kinds.JOB, kinds.JOBTEMPLATE, kinds.CRONJOB),
    job_values,
    checks.OF_JOBS,
    open=f"{KIND} == 'JobTemplate'",
    finished=f"{KIND} != 'JobTemplate'",
)
FLOWS: Final = JudgedKinds(
    "flow",
    (kinds.JOBFLOW, kinds.CRONJOBFLOW, kinds.JOBFLOWTEMPLATE),
    flow_values,
    checks.OF_FLOWS,
    open="true",
    finished="false",
    conditions=(only_suspends(),),
)


class ModeOfPolicies(NamedTuple):
    """`action`: of the bindings; `condition`: CEL of whether a JobFlowPolicy is of the mode."""

    mode: str
    action: str
    condition: str


def modes() -> list[ModeOfPolicies]:
    """The chart installs every ValidatingAdmissionPolicy once for each mode, with its condition before the others."""
    return [ModeOfPolicies(mode.value, action, mode_condition(mode)) for mode, action in ACTIONS.items()]


def with_mode(policy: Body, mode: ModeOfPolicies) -> Body:
    """The ValidatingAdmissionPolicy for one mode."""
    (condition,) = policy["spec"]["matchConditions"]
    whole = {**condition, "expression": f"{mode.condition} && {condition['expression']}"}
    return {**policy, "spec": {**policy["spec"], "matchConditions": [whole]}}


def policies() -> list[Body]:
    """The ValidatingAdmissionPolicies, without mode; the chart adds labels, bindings and the release to the names."""
    return [_policy(judged) for judged in (JOBS, FLOWS)]


def _policy(judged: JudgedKinds) -> Body:
    """An expression that fails or exceeds the API server's limits lets the object pass: the webhook judges it."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": judged.name},
        "spec": {
            "failurePolicy": "Ignore",
            "paramKind": {"apiVersion": kinds.JOBFLOWPOLICY.api_version, "kind": kinds.JOBFLOWPOLICY.kind},
            "matchConstraints": {"resourceRules": [resource_rule(kind) for kind in judged.kinds]},
            "matchConditions": [one_condition((*conditions(judged.checks), *judged.conditions))],
            "variables": _named(_variables(judged)),
            "validations": [_validation(judged.checks)],
        },
    }


def _variables(judged: JudgedKinds) -> Iterator[Variable]:
    """A variable is evaluated only if it is read, so nothing of the stored object is unless the new one has a fault."""
    yield "open", judged.open
    yield "finished", judged.finished
    for side in SIDES:
        yield from judged.values(side)
    for group in ("allowed", "denied"):
        yield from checks.patterns(group)
    status = "params.status.inProcess"
    yield "before", f"{applied_before()} && {OLD.of('held')}"
    yield "applies", f"{NEW.of('held')} && ({applies()})"
    yield "rules", f"variables.applies ? {status}.rules : []"
    yield "left", f"has({status}.webhookOnly) ? {status}.webhookOnly.map(w, w.rule) : []"
    for name, check in judged.checks.items():
        new, old = NEW.of(_variable(name)), OLD.of(_variable(name))
        for side in SIDES:
            yield side.name(_variable(name)), check(side)
        known = f"!variables.before || !(f in {old})"
        head = f"'policy \"' + params.metadata.name + '\" ({name}): ' + f"
        yield _variable(name), f"{new}.filter(f, {known}).map(f, {head})"


def _validation(checks: Iterable[str]) -> Body:
    """One for all checks, since each evaluation of an expression costs the API server about 50 microseconds.

    In CEL `true || error` is true, so a check that fails hides no other one; then the message may be the fixed one.
    """
    listed = {name: f"'{name}' in variables.rules" for name in checks}
    faults = " || ".join(f"({each} && size(variables.{_variable(name)}) > 0)" for name, each in listed.items())
    texts = " + ".join(f"({each} ? variables.{_variable(name)} : [])" for name, each in listed.items())
    text = f"({texts}).join('; ')"
    return {
        "expression": f"!({faults})",
        "messageExpression": f"size({text}) > {_MOST_TEXT} ? {text}.substring(0, {_MOST_TEXT}) + ' ...' : {text}",
        "message": "a rule of a JobFlowPolicy does not hold",
        "reason": "Invalid",
    }


def _variable(name: str) -> str:
    """The name of the variable with the faults that a check finds: `limitsMaxSteps`."""
    group, _, field = name.partition(".")
    return group + field[0].upper() + field[1:]


def _named(pairs: Iterable[tuple[str, str]]) -> list[Body]:
    return [{"name": name, "expression": expression} for name, expression in pairs]
