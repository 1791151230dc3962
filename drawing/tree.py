"""The steps of a flow as a tree: each step is below the last of the steps that it waits for. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from drawing.flow_view import StepView
from shared.graphs import directed

_DEEPEST: Final = 10  # maximum number of indented levels; deeper steps are not indented further


class Branch(msgspec.Struct, frozen=True):
    """One line: `prefix` draws the tree; `others`: the steps it waits for besides its parent in the tree."""

    prefix: str
    step: StepView
    others: tuple[str, ...] = ()


def branches(steps: Sequence[StepView], shown: frozenset[str] | None = None) -> Iterator[Branch]:
    """The lines of all steps of `flows`, or only of those in `shown`; then the parent of a step is its nearest shown
    ancestor.
    """
    known = {step.name: step for step in steps}
    parents = _parents(steps)
    visible = [name for name in known if shown is None or name in shown]
    children: dict[str, list[str]] = {}
    for name in visible:
        children.setdefault(_nearest(name, parents, shown), []).append(name)
    stack = [(name, "", "", 0) for name in reversed(children.get("", []))]
    while stack:
        name, lead, mark, depth = stack.pop()
        parent = parents[name]
        others = tuple(target for target in known[name].targets if target != parent and target in known)
        yield Branch(lead + mark, known[name], others if shown is None or parent in (shown or ()) else ())
        below = children.get(name, [])
        inner = lead + _BELOW[mark] if depth < _DEEPEST else lead
        for place, child in reversed(list(enumerate(below))):
            stack.append((child, inner, "└─ " if place == len(below) - 1 else "├─ ", depth + 1))


_BELOW: Final = {"": "", "├─ ": "│  ", "└─ ": "   "}


def _parents(steps: Sequence[StepView]) -> Mapping[str, str]:
    """For each step, the last of its targets in topological order; '' for steps without targets."""
    edges = {step.name: step.targets for step in steps}
    rank = {name: place for place, name in enumerate(directed.order(edges))}
    return {
        name: max((target for target in targets if target in rank), key=rank.__getitem__, default="")
        if name in rank
        else ""
        for name, targets in edges.items()
    }


def _nearest(name: str, parents: Mapping[str, str], shown: frozenset[str] | None) -> str:
    parent = parents[name]
    while shown is not None and parent and parent not in shown:
        parent = parents[parent]
    return parent
