"""`limits`: numbers that an object may not exceed.

As with a Kubernetes LimitRange, a field that is not set exceeds every maximum; `defaults` of policies are applied first.
"""

from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any, Final

import msgspec

from shared.codec.plural import number_of, verb
from shared.graphs.directed import depth
from shared.kinds import JOB
from shared.model.policy import Limits
from shared.names import DEFAULT_MAX_ITERATIONS, DEFAULT_MAX_RETRY
from shared.podtemplate.field import Field
from shared.policy.context import PolicyContext
from shared.policy.fault import PolicyFault
from shared.policy.raw import mapping
from shared.violation import Reason

Check = Callable[[PolicyContext, int], Iterator[PolicyFault]]


def limit_faults(limits: Limits, context: PolicyContext) -> Iterator[PolicyFault]:
    """The values that exceed the limits."""
    for attribute, (name, check) in LIMITS.items():
        most: int | None = getattr(limits, attribute)
        if most is not None:
            for fault in check(context, most):
                yield msgspec.structs.replace(fault, rule=f"limits.{name}")


def _steps(context: PolicyContext, most: int) -> Iterator[PolicyFault]:
    if len(context.steps) > most:
        message = f"has {number_of(len(context.steps), 'step')}, at most {most} {verb(most, 'is', 'are')} allowed"
        yield _fault("spec.flows", message, None, Reason.TOO_MANY)


def _depth(context: PolicyContext, most: int) -> Iterator[PolicyFault]:
    """The longest chain of steps that wait for each other. Linear in the size of the graph."""
    if not context.is_flow:
        return
    if (found := depth(_edges(context))) > most:
        message = f"its longest chain has {number_of(found, 'step')}, at most {most} may follow one another"
        yield _fault("spec.flows", message, None, Reason.FORBIDDEN)


def _edges(context: PolicyContext) -> dict[str, list[str]]:
    """The edges of shared.graphs.flow_graph, read from raw JSON, because models of 1000 steps would slow down scans."""
    steps = [mapping(step.value) for step in context.spec.get("flows").items]
    edges: dict[str, list[str]] = {}
    for step in steps:
        edges.setdefault(str(step.get("name")), []).extend(_texts(mapping(step.get("dependsOn")).get("targets")))
    for step in steps:
        switch = mapping(step.get("switch"))
        cases = [case.get("run").value for case in Field("", switch.get("cases")).items]
        for chosen in (switch.get("default"), *cases):
            for name in _texts(chosen):
                edges.get(name, []).append(str(step.get("name")))
    return edges


def _texts(names: Any) -> list[str]:
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _parallelism(context: PolicyContext, most: int) -> Iterator[PolicyFault]:
    if not context.is_flow:
        return
    field = context.spec.get("parallelism")
    if field.number:
        if field.number > most:
            yield _fault(field.path, f"at most {number_of(most, 'Job')} at once", field.number)
    elif (jobs := sum(_jobs_at_once(step) for step in context.spec.get("flows").items)) > most:
        message = f"must be set, to at most {most}: without it up to {number_of(jobs, 'Job')} may run at once"
        yield _fault(field.path, message, None, Reason.REQUIRED)


def _jobs_at_once(step: Field) -> int:
    """The most Jobs of this step that can be unfinished at the same time. Daemons and switches do not count."""
    raw = mapping(step.value)
    if raw.get("switch") is not None or raw.get("daemon") is True:
        return 0
    if raw.get("for") is None:
        return 1
    loop = step.get("for")
    if loop.get("while").present:
        return 1
    iterations = _iterations(loop)
    return min(loop.get("parallelism").number or iterations, iterations)


def _iterations(loop: Field) -> int:
    bounds, matrix = loop.get("range"), loop.get("matrix")
    if loop.get("items").present:
        return sum(1 for _ in loop.get("items").items)
    if matrix.present:
        return prod(sum(1 for _ in matrix.get(key).items) for key in matrix.keys)
    if (end := bounds.get("end").number) is not None:
        return len(range(bounds.get("start").number or 0, end, bounds.get("step").number or 1))
    return loop.get("maxIterations").number or DEFAULT_MAX_ITERATIONS


def _replicas(context: PolicyContext, most: int) -> Iterator[PolicyFault]:
    for part in context.jobs:
        total = sum(task.get("replicas").number or 0 for task in part.tasks)
        if total > most:
            message = f"{number_of(total, 'pod')} in total, a Job may have at most {most}"
            yield _fault(f"{part.field.path}.tasks", message, None, Reason.FORBIDDEN)


def _retry(context: PolicyContext, most: int) -> Iterator[PolicyFault]:
    """Restarts of Jobs and tasks, and retries of steps. A Job without maxRetry restarts up to three times."""
    for part in context.jobs:
        for holder in (part.field, *part.tasks):
            field = holder.get("maxRetry")
            unsaid = DEFAULT_MAX_RETRY if context.kind is JOB else 0
            number = unsaid if field.number is None else field.number
            if number > most:
                yield _fault(field.path, f"at most {most} {verb(most, 'retry', 'retries')}", number)
    for holder in (context.spec, *context.steps) if context.is_flow else ():
        field = holder.get("retry").get("limit")
        if (field.number or 0) > most:
            yield _fault(field.path, f"at most {most} {verb(most, 'retry', 'retries')}", field.number)


def _deadline(context: PolicyContext, most: int) -> Iterator[PolicyFault]:
    if context.is_flow:
        yield from _seconds(context.spec.get("activeDeadlineSeconds"), most, needed=not context.of_a_flow)


def _ttl(context: PolicyContext, most: int) -> Iterator[PolicyFault]:
    """Jobs and flows of a flow are deleted with their flow, so only other objects must set a TTL."""
    name = "ttlSecondsAfterFinished"
    if context.is_flow:
        yield from _seconds(context.spec.get(name), most, needed=not context.of_a_flow)
    for part in context.jobs:
        yield from _seconds(part.field.get(name), most, needed=context.kind is JOB and not context.of_a_flow)


def _seconds(field: Field, most: int, *, needed: bool) -> Iterator[PolicyFault]:
    if field.number is not None and field.number > most:
        yield _fault(field.path, f"at most {number_of(most, 'second')}", field.number)
    elif field.number is None and needed:
        yield _fault(field.path, f"must be set, to at most {most}", None, Reason.REQUIRED)


def _fault(path: str, message: str, value: int | None, reason: Reason = Reason.INVALID) -> PolicyFault:
    return PolicyFault("", path, message, value, reason)


LIMITS: Final[Mapping[str, tuple[str, Check]]] = {
    "max_steps": ("maxSteps", _steps),
    "max_depth": ("maxDepth", _depth),
    "max_parallelism": ("maxParallelism", _parallelism),
    "max_replicas": ("maxReplicas", _replicas),
    "max_retry": ("maxRetry", _retry),
    "max_active_deadline_seconds": ("maxActiveDeadlineSeconds", _deadline),
    "max_ttl_seconds_after_finished": ("maxTtlSecondsAfterFinished", _ttl),
}
