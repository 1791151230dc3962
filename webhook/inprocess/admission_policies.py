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
    """`action`: of the bindings; `condition`: the matchCondition that selects the JobFlowPolicies of the mode."""

    mode: str
    action: str
    condition: Body


def modes() -> list[ModeOfPolicies]:
    """The chart installs every ValidatingAdmissionPolicy once for each mode, with its condition."""
    conditions_ = {mode: _named([mode_condition(mode)])[0] for mode in ACTIONS}
    return [ModeOfPolicies(mode.value, action, conditions_[mode]) for mode, action in ACTIONS.items()]


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
            "matchConditions": _named((*conditions(judged.checks), *judged.conditions)),
            "variables": _named(_variables(judged)),
            "validations": [_validation(name) for name in judged.checks],
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
        yield _variable(name), f"'{name}' in variables.rules ? {new}.filter(f, {known}).map(f, {head}) : []"


def _validation(name: str) -> Body:
    text = f"variables.{_variable(name)}.join('; ')"
    return {
        "expression": f"size(variables.{_variable(name)}) == 0",
        "messageExpression": f"size({text}) > {_MOST_TEXT} ? {text}.substring(0, {_MOST_TEXT}) + ' ...' : {text}",
        "message": f"{name} of a JobFlowPolicy does not hold",
        "reason": "Invalid",
    }


def _variable(name: str) -> str:
    """The name of the variable with the faults that a check finds: `limitsMaxSteps`."""
    group, _, field = name.partition(".")
    return group + field[0].upper() + field[1:]


def _named(pairs: Iterable[tuple[str, str]]) -> list[Body]:
    return [{"name": name, "expression": expression} for name, expression in pairs]
