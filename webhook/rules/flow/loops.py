"""Rules of `for`: exactly one source, valid keys, and a limited number of iterations (docs/design/jobflow-api.md, section 5.2)."""

from collections.abc import Iterable, Iterator
from typing import Final

from shared import tolerance
from shared.model.step import Loop
from shared.names import DEFAULT_MAX_ITERATIONS, MAX_FLOW_JOBS
from shared.violation import Reason, Violation
from webhook.hints.names import identifier_fault
from webhook.subject.subjects import FlowSubject

_FAR_TOO_MANY: Final = 10**9
_SOURCES: Final = (
    ("items", "items"),
    ("matrix", "matrix"),
    ("range", "range"),
    ("expression", "expression"),
    ("while", "while_"),
)


def loop_has_one_source(flow: FlowSubject) -> Iterator[Violation]:
    for path, loop in _loops(flow):
        given = [field for field, attribute in _SOURCES if getattr(loop, attribute) is not None]
        if not given:
            message = "exactly one of items, matrix, range, expression and while must be set"
            yield Violation(f"{path}.for", message, reason=Reason.REQUIRED)
        for field in given[1:]:
            message = f"exactly one source may be set, and {given[0]} is already set"
            yield Violation(f"{path}.for.{field}", message, reason=Reason.FORBIDDEN)


def loop_keys_are_identifiers(flow: FlowSubject) -> Iterator[Violation]:
    for path, loop in _loops(flow):
        keys = [(f"{path}.for.matrix", key) for key in loop.matrix or ()]
        for index, item in enumerate(loop.items or ()):
            keys += [(f"{path}.for.items[{index}]", key) for key in item] if isinstance(item, dict) else []
        for where, key in keys:
            if fault := identifier_fault(key):
                yield Violation(where, fault, key)


def loop_matrix_has_values(flow: FlowSubject) -> Iterator[Violation]:
    for path, loop in _loops(flow):
        if loop.matrix is not None and not loop.matrix:
            yield Violation(f"{path}.for.matrix", "must have at least one list", reason=Reason.REQUIRED)
        for key, values in (loop.matrix or {}).items():
            if not values:
                message = "must not be empty: the step would run no iteration"
                yield Violation(f"{path}.for.matrix.{key}", message, reason=Reason.REQUIRED)


def loop_range_advances(flow: FlowSubject) -> Iterator[Violation]:
    for path, loop in _loops(flow):
        if loop.range is not None and loop.range.step == 0:
            yield Violation(f"{path}.for.range.step", "must not be 0: the range would never end", 0)


def loop_iterations_are_allowed(flow: FlowSubject) -> Iterator[Violation]:
    for path, loop in _loops(flow):
        allowed, count = loop.max_iterations or DEFAULT_MAX_ITERATIONS, _count(loop)
        if count is not None and count > allowed:
            message = f"{count}: at most {allowed} iterations are allowed (maxIterations, up to 2000)"
            yield Violation(f"{path}.for", message, reason=Reason.TOO_MANY)


def while_is_sequential(flow: FlowSubject) -> Iterator[Violation]:
    for path, loop in _loops(flow):
        if loop.while_ is not None and loop.parallelism not in (None, 1):
            message = "iterations of `while` run one after another: remove parallelism"
            yield Violation(f"{path}.for.parallelism", message, loop.parallelism)


def loop_tolerance_is_a_number_or_a_share(flow: FlowSubject) -> Iterator[Violation]:
    for path, loop in _loops(flow):
        if loop.tolerate is None:
            continue
        try:
            _, is_share = tolerance.parse(loop.tolerate)
        except tolerance.ToleranceError as fault:
            yield Violation(f"{path}.for.tolerate", str(fault), loop.tolerate)
            continue
        if is_share and loop.while_ is not None:
            message = "the number of iterations of `while` is not known, so a percentage is not possible: set a number"
            yield Violation(f"{path}.for.tolerate", message, loop.tolerate)


def while_has_no_fields_of_items(flow: FlowSubject) -> Iterator[Violation]:
    for path, loop in _loops(flow):
        if loop.while_ is None:
            continue
        if loop.if_ is not None:
            message = "`while` has no items: put the condition into `while`"
            yield Violation(f"{path}.for.if", message, reason=Reason.FORBIDDEN)
        if loop.fail_fast is not None:
            message = "iterations of `while` run one after another, and the first failure ends the loop: set tolerate to continue after failures"
            yield Violation(f"{path}.for.failFast", message, reason=Reason.FORBIDDEN)


def jobs_are_not_too_many(flow: FlowSubject) -> Iterator[Violation]:
    plain = len(flow.bare_steps) - len(flow.special)
    makers = (step for _, step in flow.special if step.makes_children)
    total = plain + sum(1 if step.for_ is None else _count(step.for_) or 0 for step in makers)
    if total > MAX_FLOW_JOBS:
        message = f"{total}: a flow can create at most {MAX_FLOW_JOBS} Jobs"
        yield Violation("spec.flows", message, reason=Reason.TOO_MANY)


def _loops(flow: FlowSubject) -> Iterator[tuple[str, Loop]]:
    for path, step in flow.special:
        if step.for_ is not None:
            yield path, step.for_


def _count(loop: Loop) -> int | None:
    """The number of iterations; None if an expression determines it."""
    if loop.items is not None:
        return len(loop.items)
    if loop.matrix is not None:
        return _product(len(values) for values in loop.matrix.values())
    if loop.range is not None and loop.range.step != 0:
        step = 1 if loop.range.step is None else loop.range.step
        return max(0, -((loop.range.start - loop.range.end) // step))
    return None


def _product(lengths: Iterable[int]) -> int:
    """The product, computed only until it exceeds _FAR_TOO_MANY, because large integers are slow."""
    product = 1
    for length in lengths:
        product *= length
        if not length or product > _FAR_TOO_MANY:
            break
    return product
