"""Evaluates the expressions of a flow against the states of its steps (docs/design/jobflow-api.md, section 3.4)."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from controller.jobflow import reasons
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.memo import KnownCondition
from shared import ranges
from shared.expressions import (
    EvalError,
    Program,
    ResultType,
    Scope,
    binding_of_attempt,
    binding_of_flow,
    binding_of_step,
    compile_expression,
    evaluate,
    flow_scope,
    item_scope,
    references_of,
    retry_scope,
)
from shared.graphs.flow_graph import ExpressionPlace
from shared.model.flow import FlowOutput
from shared.model.flow_status import Attempt, Iterations, LastIteration, StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Step
from shared.timestamp import epoch_or_none

_RESULTS: Final = {
    ExpressionPlace.IF: ResultType.BOOL,
    ExpressionPlace.SWITCH: ResultType.STRING_INT_BOOL,
    ExpressionPlace.FOR: ResultType.LIST,
    ExpressionPlace.WHILE: ResultType.BOOL,
    ExpressionPlace.ITEM: ResultType.BOOL,
    ExpressionPlace.RETRY: ResultType.BOOL,
    ExpressionPlace.PATCH: ResultType.VALUE,
}


_WITH_ATTEMPT: Final = (StepPhase.FAILED, StepPhase.TERMINATED)


class ExpressionFault(Exception):
    """The expression has no value; the message says why, after the field."""


class Iteration(msgspec.Struct, frozen=True):
    """What an expression or placeholder inside a loop sees."""

    index: int
    item: Any = None
    last: LastIteration | None = None


def evaluate_at(
    context: FlowContext,
    step: Step,
    place: ExpressionPlace,
    text: str,
    *,
    iteration: Iteration | None = None,
    attempt: Any = None,
) -> Any:
    """The value of an expression that stands in `place` of `step`. Raises ExpressionFault."""
    program = _program(context, step, place, text)
    bindings: dict[str, Any] = {
        "steps": {name: step_value(context, name) for name in references_of(program)},
        "params": context.plan.params,
        "flow": _flow(context),
    }
    if iteration is not None:
        bindings |= {"item": iteration.item, "index": iteration.index}
        if place is not ExpressionPlace.ITEM:
            bindings["last"] = _last(iteration.last, context.plan.outputs[step.name])
    if attempt is not None:
        bindings["attempt"] = attempt
    value = evaluate(program, bindings)
    if isinstance(value, EvalError):
        raise ExpressionFault(f"{place}: {value}")
    return value


def flow_output(context: FlowContext, output: FlowOutput) -> str:
    """The value of an output of the flow, which has ended. Raises ExpressionFault."""
    plan, place = context.plan, f"outputs.{output.name}"
    scope = flow_scope([step.name for step in plan.flows], plan.steps, plan.outputs, plan.params)
    program = compile_expression(output.expression, scope, ResultType.VALUE)
    if not isinstance(program, Program):
        raise ExpressionFault("; ".join(f"{place}: {problem}" for problem in program))
    bindings = {
        "steps": {name: step_value(context, name) for name in references_of(program)},
        "params": plan.params,
        "flow": _flow(context),
    }
    value = evaluate(program, bindings)
    if isinstance(value, EvalError):
        raise ExpressionFault(f"{place}: {value}")
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def condition_of(context: FlowContext, step: Step, text: str) -> bool:
    """The value of `if`, evaluated again only when a step that it names has changed. Raises ExpressionFault."""
    known, metadata = context.conditions.get(step.name), context.observed.flow.metadata
    if known is not None and known.outcome == context.outcome and known.holds_for(context.steps, metadata):
        return known.value
    value = bool(evaluate_at(context, step, ExpressionPlace.IF, text))
    named = references_of(_program(context, step, ExpressionPlace.IF, text))
    states = {name: context.steps[name] for name in named}
    context.conditions[step.name] = KnownCondition(value, context.outcome, states, metadata)
    return value


def attempt_value(attempt: Attempt, number: int) -> Any:
    """`attempt` in retry.if; `number` is 0 for the first try."""
    started, ended = epoch_or_none(attempt.start_time), epoch_or_none(attempt.completion_time)
    lasted = max(ended - started, 0.0) if started is not None and ended is not None else 0.0
    return binding_of_attempt(attempt.phase, attempt.reason, attempt.exit_code or 0, attempt.message, lasted, number)


def step_value(context: FlowContext, name: str) -> Any:
    """`steps.NAME`."""
    state = context.steps.get(name) or StepStatus(name=name)
    declared = context.plan.outputs.get(name, ())
    return binding_of_step(
        state.phase,
        state.reason,
        state.attempts,
        state.exit_code or 0,
        _outputs(state.outputs, declared),
        state.pods.succeeded if state.pods else 0,
        state.pods.failed if state.pods else 0,
        _iterations(state.iterations, declared) if state.iterations else (),
    )


def _iterations(iterations: Iterations, declared: Iterable[str]) -> list[Any]:
    """One value for each item that has ended, by index; of an ended loop, one for each item."""
    phases = _phases(iterations)
    attempts = {retry.index: retry.last_attempt for retry in iterations.retries}
    values = []
    for index in sorted(phases):
        phase, reason = phases[index]
        last = attempts.get(index) if phase in _WITH_ATTEMPT else None
        values.append(
            binding_of_step(
                phase,
                (last.reason if last else "") or reason,
                exit_code=(last.exit_code or 0) if last else 0,
                outputs=_outputs(iterations.outputs.get(str(index), {}), declared),
            )
        )
    return values


def _phases(iterations: Iterations) -> dict[int, tuple[StepPhase, str]]:
    """Phase and reason by index."""
    ended = (
        (iterations.completed_indexes, StepPhase.COMPLETED, ""),
        (iterations.failed_indexes, StepPhase.FAILED, ""),
        (iterations.terminated_indexes, StepPhase.TERMINATED, ""),
        (iterations.skipped_indexes, StepPhase.SKIPPED, reasons.CONDITION_FALSE),
        (iterations.not_started, StepPhase.SKIPPED, reasons.NOT_STARTED),
    )
    return {index: (phase, reason) for indexes, phase, reason in ended for index in ranges.parse(indexes)}


def _last(last: LastIteration | None, declared: Iterable[str]) -> Any:
    if last is None:
        return binding_of_step("", outputs=_outputs({}, declared))
    return binding_of_step(last.phase, exit_code=last.exit_code or 0, outputs=_outputs(last.outputs, declared))


def _outputs(known: dict[str, str], declared: Iterable[str]) -> dict[str, str]:
    return {**dict.fromkeys(declared, ""), **known}


def _flow(context: FlowContext) -> Any:
    metadata = context.observed.flow.metadata
    return binding_of_flow(metadata.name, metadata.namespace, metadata.labels, metadata.annotations, context.outcome)


def _program(context: FlowContext, step: Step, place: ExpressionPlace, text: str) -> Program:
    key = (step.name, place, text)
    known = context.programs.get(key)
    if known is None:
        known = context.programs[key] = compile_expression(text, _scope(context, step, place), _RESULTS[place])
    if isinstance(known, Program):
        return known
    raise ExpressionFault("; ".join(f"{place}: {problem}" for problem in known))


def _scope(context: FlowContext, step: Step, place: ExpressionPlace) -> Scope:
    plan = context.plan
    upstream = plan.steps if step.name in plan.final_names else plan.ancestors.of(step.name)
    flows = [one.name for one in plan.flows]
    given = (flows, upstream, plan.outputs, plan.params)
    if place is ExpressionPlace.RETRY:
        return retry_scope(*given)
    if place is ExpressionPlace.ITEM:
        return item_scope(*given)
    loop = step.for_ is not None and place in (ExpressionPlace.WHILE, ExpressionPlace.PATCH)
    return flow_scope(*given, loop=loop, own_outputs=plan.outputs[step.name] if loop else ())
