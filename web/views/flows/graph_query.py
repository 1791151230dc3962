"""Parses the query of a graph page. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from drawing.flow_view import StepView
from drawing.groups import URGENCY
from drawing.parts import Choice, Section

FRONT: Final = 8  # steps named above an overview
MATCHES: Final = 40
_LAYERS: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_OVERVIEWS: Final = {"whole": Section.WHOLE, "layers": Section.LAYERS}


class GraphQuery(msgspec.Struct, frozen=True):
    """`search`: what was typed; `matches`: the steps whose names contain it, where none has that name."""

    choice: Choice
    search: str = ""
    matches: tuple[str, ...] = ()


def graph_query(query: Mapping[str, str], steps: Sequence[StepView]) -> GraphQuery:
    """`around=STEP`, `group=STEP`, `layer=3` or `layer=3-5`, `show=whole|layers`; invalid values fall back to the
    default."""
    names = {step.name for step in steps}
    search = query.get("around", "").strip()[:300]
    if search in names:
        return GraphQuery(Choice(Section.AROUND, search), search)
    if query.get("group", "") in names:
        return GraphQuery(Choice(Section.GROUP, query["group"]))
    if layers := _LAYERS.fullmatch(query.get("layer", "")):
        first = int(layers[1])
        return GraphQuery(Choice(Section.LAYER, first=first, last=int(layers[2] or first)))
    found = [name for name in names if search and search.lower() in name.lower()]
    if len(found) == 1:
        return GraphQuery(Choice(Section.AROUND, found[0]), search)
    choice = Choice(_OVERVIEWS.get(query.get("show", ""), Section.AUTO))
    return GraphQuery(choice, search, tuple(sorted(found, key=lambda name: (len(name), name))[:MATCHES]))


def front(steps: Sequence[StepView]) -> tuple[StepView, ...]:
    """The steps that one looks for first: failed, then under way. Failures leave room for some that are under way."""
    failed = [step for step in steps if step.phase in URGENCY[:2]]
    going = sorted((step for step in steps if step.active), key=lambda step: URGENCY.index(step.phase))
    failed.sort(key=lambda step: URGENCY.index(step.phase))
    shown = failed[: max(FRONT - len(going), FRONT * 5 // 8)]
    return (*shown, *going[: FRONT - len(shown)])
