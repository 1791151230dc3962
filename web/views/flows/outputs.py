"""The outputs of a flow's steps. Pure."""

import msgspec

from drawing.flow_view import FlowView
from shared.model.types import Body

MOST_ITERATIONS = 100


class StepOutputs(msgspec.Struct, frozen=True):
    """`values`: of the step; `iterations`: of each iteration of a loop, by index, at most MOST_ITERATIONS; `more`: how
    many are left out."""

    step: str
    values: tuple[tuple[str, str], ...]
    iterations: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    more: int = 0


def output_list(view: FlowView, body: Body) -> tuple[StepOutputs, ...]:
    """Steps that have outputs, in the order of the spec."""
    loops = {
        str(step.get("name")): (step.get("iterations") or {}).get("outputs") or {}
        for step in (body.get("status") or {}).get("steps") or ()
    }
    found = []
    for step in view.steps:
        each = sorted(loops.get(step.name, {}).items(), key=lambda pair: int(pair[0]))
        if step.outputs or each:
            shown = tuple((index, tuple(sorted(values.items()))) for index, values in each[:MOST_ITERATIONS])
            more = max(len(each) - MOST_ITERATIONS, 0)
            found.append(StepOutputs(step.name, tuple(sorted(step.outputs.items())), shown, more))
    return tuple(found)
