"""`for`: which items a loop has, which iterations may start, and when it has ended (docs/design/jobflow-api.md, section 5.2)."""

import hashlib
import itertools
from typing import Any

import msgspec

from controller.jobflow import reasons
from controller.jobflow.model.context import FlowContext
from controller.jobflow.model.expression_values import ExpressionFault, Iteration, evaluate_at
from controller.jobflow.model.gate_result import StepEnd, fail
from controller.jobflow.model.loop_course import is_failing, loop_course
from controller.jobflow.model.loop_failure import LoopCourse, closed
from controller.jobflow.model.plan import max_iterations
from shared import ranges
from shared.codec.plural import number_of
from shared.graphs.flow_graph import ExpressionPlace
from shared.model.flow_status import Attempt, Iterations, LastIteration, StepStatus
from shared.model.phases import StepPhase
from shared.model.step import Loop, Step


def begin(context: FlowContext, step: Step, loop: Loop) -> StepEnd | tuple[Iterations, str]:
    """Start a loop: its empty progress and the hash of its items, or an end when no iteration can start."""
    if loop.while_ is not None:
        return Iterations(), ""
    try:
        items = _evaluate(context, step, loop)
    except ExpressionFault as fault:
        return fail(reasons.INVALID_EXPRESSION, str(fault))
    if len(items) > max_iterations(loop):
        said = f"more than {max_iterations(loop)} items (maxIterations)"
        return fail(reasons.TOO_MANY_ITERATIONS, said)
    if not items:
        return StepEnd(StepPhase.COMPLETED, "", "no items")
    try:
        skipped = _skipped(context, step, loop, items)
    except ExpressionFault as fault:
        return fail(reasons.INVALID_EXPRESSION, str(fault))
    digest = _hash(items)
    context.items[step.name, digest] = items
    return Iterations(total=len(items), skipped_indexes=ranges.dump(skipped)), digest


def _skipped(context: FlowContext, step: Step, loop: Loop, items: tuple[Any, ...]) -> list[int]:
    """Indexes of the items for which `for.if` is false. Raises ExpressionFault."""
    text = loop.if_
    if text is None:
        return []
    return [
        index
        for index, item in enumerate(items)
        if not evaluate_at(context, step, ExpressionPlace.ITEM, text, iteration=Iteration(index, item))
    ]


def next_iterations(context: FlowContext, step: Step, loop: Loop, state: StepStatus) -> StepEnd | list[Iteration]:
    """The iterations that may start now, retries that are due first; or the end of the step."""
    found = state.iterations or Iterations()
    running = ranges.parse(found.running_indexes)
    if _stops(context, step, loop):
        return [] if running else failed(state, closed(found))
    over = ranges.parse(f"{found.completed_indexes},{found.failed_indexes},{found.skipped_indexes}")
    if found.total is not None and len(over) >= found.total:
        return _all_ended(context, step, state, found)
    waiting = {retry.index for retry in found.retries} - running - over
    due = [index for index in sorted(waiting) if context.due(step.name, index)]
    try:
        if loop.while_ is not None:
            return _while(context, step, loop, state, due, bool(running or waiting))
        items = _items(context, step, loop, state)
    except ExpressionFault as fault:
        return [] if running else fail(reasons.INVALID_EXPRESSION, str(fault))
    if items is None:
        said = "the loop's items are not what they were when it began"
        return [] if running else fail(reasons.ITEMS_CHANGED, said)
    room = (loop.parallelism or len(items)) - len(running)
    fresh = (index for index in range(len(items)) if index not in over | running | waiting)
    chosen = itertools.islice(itertools.chain(due, fresh), max(room, 0))
    return [Iteration(index, items[index], _before(state, index)) for index in chosen]


def _stops(context: FlowContext, step: Step, loop: Loop) -> bool:
    """Whether nothing may start any more because of failed iterations."""
    if not is_failing(context, step):
        return False
    return loop.while_ is not None or loop_course(context, step) is not LoopCourse.RUN_ALL


def _all_ended(context: FlowContext, step: Step, state: StepStatus, found: Iterations) -> StepEnd:
    if is_failing(context, step):
        return failed(state, found)
    count = ranges.count(found.failed_indexes)
    return StepEnd(
        StepPhase.COMPLETED,
        "",
        f"{count} of {number_of(found.total or 0, 'iteration')} failed (tolerated)" if count else "",
    )


def _before(state: StepStatus, index: int) -> LastIteration | None:
    """The last ended iteration before this one. `status.last` may be of a later one that ran in parallel."""
    if state.last is not None and state.last.index < index:
        return state.last
    known = state.iterations or Iterations()
    place = max((one for one in ranges.parse(known.completed_indexes) if one < index), default=None)
    if place is None:
        return None
    outputs = known.outputs.get(str(place), {})
    return LastIteration(index=place, phase=StepPhase.COMPLETED, exit_code=0, outputs=outputs)


def _while(
    context: FlowContext, step: Step, loop: Loop, state: StepStatus, due: list[int], busy: bool
) -> StepEnd | list[Iteration]:
    if busy:
        return [Iteration(index, None, _before(state, index)) for index in due[:1]]
    known = state.iterations or Iterations()
    index = len(ranges.parse(f"{known.completed_indexes},{known.failed_indexes}"))
    iteration = Iteration(index, None, _before(state, index))
    if not evaluate_at(context, step, ExpressionPlace.WHILE, loop.while_ or "", iteration=iteration):
        return StepEnd(StepPhase.COMPLETED, "", number_of(index, "iteration"))
    if index >= max_iterations(loop):
        return fail(reasons.TOO_MANY_ITERATIONS, f"after {number_of(index, 'iteration')} `while` still holds")
    return [iteration]


def first_failure(state: StepStatus, found: Iterations) -> Attempt | None:
    """The last attempt of the first iteration that failed."""
    indexes = ranges.parse(found.failed_indexes)
    return next((one.last_attempt for one in found.retries if one.index in indexes), state.last_attempt)


def failed(state: StepStatus, found: Iterations) -> StepEnd:
    """The end of a step with failed iterations."""
    attempt = first_failure(state, found)
    detail = ": ".join(part for part in (attempt.reason, attempt.message) if part) if attempt else ""
    why = f": {detail}" if detail else ""
    own = attempt is not None and (not attempt.job or attempt.reason in reasons.ITERATION_OWN_FAULTS)
    reason = attempt.reason if attempt and own and attempt.reason else reasons.ITERATION_FAILED
    which = "iteration" if found.failed_indexes.isdecimal() else "iterations"
    return fail(reason, f"{which} {found.failed_indexes} failed{why}"[:512])


def _items(context: FlowContext, step: Step, loop: Loop, state: StepStatus) -> tuple[Any, ...] | None:
    """The items that the loop started with; None if evaluating them again gives other items."""
    known = context.items.get((step.name, state.items_hash))
    if known is None:
        known = _evaluate(context, step, loop)
        if _hash(known) != state.items_hash:
            return None
        context.items[step.name, state.items_hash] = known
    return known


def _evaluate(context: FlowContext, step: Step, loop: Loop) -> tuple[Any, ...]:
    """The items, at most one more than may run. Raises ExpressionFault."""
    if loop.expression is None:
        return tuple(itertools.islice(loop.written_items(), max_iterations(loop) + 1))
    return tuple(evaluate_at(context, step, ExpressionPlace.FOR, loop.expression))


def _hash(items: tuple[Any, ...]) -> str:
    return hashlib.sha256(msgspec.json.encode(items, order="deterministic")).hexdigest()[:16]
