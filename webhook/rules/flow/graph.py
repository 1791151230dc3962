"""The graph of a flow: it has steps, all targets exist, and it has no cycle."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from shared.graphs import directed
from shared.names import MAX_STEPS
from shared.violation import Reason, Violation
from webhook.hints.names import did_you_mean
from webhook.subject.subjects import FlowSubject

_LISTED: Final = 20  # maximum number of steps of a cycle in a message
_CYCLES: Final = 20  # maximum number of cycles that are reported
_HINTS: Final = 20  # maximum number of violations with a suggestion, which is slow to compute


def flows_are_present(flow: FlowSubject) -> Iterator[Violation]:
    if not flow.spec.flows:
        yield Violation("spec.flows", "a JobFlow needs at least one step", reason=Reason.REQUIRED)


def flows_are_not_too_many(flow: FlowSubject) -> Iterator[Violation]:
    for path, steps in (("spec.flows", flow.spec.flows), ("spec.finally", flow.spec.finally_)):
        if len(steps) > MAX_STEPS:
            message = f"{len(steps)}: must have at most {MAX_STEPS} items"
            yield Violation(path, message, reason=Reason.TOO_MANY)


def targets_exist(flow: FlowSubject) -> Iterator[Violation]:
    if flow.is_ordered or all(map(flow.flow_names.issuperset, flow.edges.values())):
        return
    hints = _HINTS
    for index, step in enumerate(flow.spec.flows[:MAX_STEPS]):
        for position, target in enumerate(step.targets):
            if target in flow.flow_names:
                continue
            path = f"spec.flows[{index}].dependsOn.targets[{position}]"
            if target in flow.finally_names:
                message = "steps of `finally` run after all steps of `flows`, which cannot depend on them"
            else:
                hint = did_you_mean(target, flow.flow_names - {step.name}) if hints > 0 else ""
                message, hints = f'no step named "{target}"{hint}', hints - 1
            yield Violation(path, message, target)


def no_cycle(flow: FlowSubject) -> Iterator[Violation]:
    for path in () if flow.is_ordered else islice(directed.cycles(flow.edges), _CYCLES):
        shown = " -> ".join(path if len(path) <= _LISTED else (*path[:_LISTED], "...", path[-1]))
        if len(path) == 2:
            index = next(index for index, step in enumerate(flow.spec.flows) if step.name == path[0])
            yield Violation(f"spec.flows[{index}].dependsOn", f"cycle {shown}: the step depends on itself")
        else:
            yield Violation("spec.flows", f"cycle {shown}: each step depends on the one before it")


def finally_waits_for_nothing(flow: FlowSubject) -> Iterator[Violation]:
    for index, step in enumerate(flow.spec.finally_):
        if step.depends_on is not None:
            message = (
                "steps of `finally` run in parallel after all steps of `flows` have ended; they cannot depend on steps"
            )
            yield Violation(f"spec.finally[{index}].dependsOn", message, reason=Reason.FORBIDDEN)
