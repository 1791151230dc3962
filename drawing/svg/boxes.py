"""Boxes of steps as SVG: what changes while a flow runs is apart from where it stands. Pure."""

from collections.abc import Callable
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import msgspec

from drawing.flow_view import StepView
from drawing.graph_model import Box
from drawing.layers import ORDER
from drawing.layers import shares as counted
from drawing.layout.model import Placed
from drawing.phase_style import SYMBOLS
from drawing.svg.style import CHARACTER, SMALL
from shared.model.phases import StepPhase

LONGEST: Final = 30  # characters of a name; the rest is in the tooltip
_LONGEST_NOTE: Final = 44
_PHASE_ROOM: Final = max(len(phase) for phase in StepPhase)
_INSET: Final = 12.0

Link = Callable[[Box], str]
"""The address that a click on a box leads to."""


class Shown(msgspec.Struct, frozen=True):
    """What a box says now: `classes` of its group; `first` and `second` line; `tip`; for a group the share of each phase
    of layers.ORDER, from 0 to 1."""

    key: str
    classes: str
    first: str
    second: str
    tip: str
    shares: tuple[float, ...] = ()


def shown(box: Box, *, live: bool, centre: bool = False) -> Shown:
    step = box.step
    special = " ".join(name for name in (step.kind, "centre" if centre else "") if name)
    tip = step.name if not live else f"{step.name}: {step.phase}"
    return Shown(
        key=step.name,
        classes=f"step {step.phase.lower() if live else 'plain'} {special}".rstrip(),
        first=(f"{SYMBOLS[step.phase]} " if live else "") + cut_name(step.name, LONGEST),
        second=cut(_second(box, live), _LONGEST_NOTE),
        tip=": ".join(part for part in (tip, step.reason, step.message) if part),
        shares=shares(box.members) if live and box.members else (),
    )


def shares(steps: tuple[StepView, ...]) -> tuple[float, ...]:
    """The share of each phase of layers.ORDER."""
    counts = counted(steps)
    return tuple(counts.get(phase, 0) / max(len(steps), 1) for phase in ORDER)


def _second(box: Box, live: bool) -> str:
    """The second line of a box, in small type: note and phase."""
    step = box.step
    if box.members:
        ended = sum(1 for member in box.members if member.phase.ended)
        count = f"{ended}/{len(box.members)} ended" if live else f"{len(box.members)} steps"
        return " · ".join(part for part in (count, box.note) if part)
    iterations = f"{step.done}/{step.total}" if live and step.total > 0 else ""
    parts = (step.phase.lower() if live else "", iterations, box.note)
    return " · ".join(part for part in parts if part)


def width(box: Box, live: bool) -> float:
    """Enough for every state, so that nothing moves while the flow runs."""
    name = min(len(box.name), LONGEST) + (2 if live else 0)
    note = len(box.note) + 3 if box.note else 0
    if box.members:
        count = len(str(len(box.members)))
        note += 2 * count + 7 if live else count + 6
    elif live:
        note += _PHASE_ROOM + (len(" · 2000/2000") if box.step.kind == "for" else 0)
    return max(name * CHARACTER, min(note, _LONGEST_NOTE) * SMALL, 40.0) + 2 * _INSET


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def cut_name(name: str, most: int) -> str:
    """With its beginning and its end: names of a flow often begin alike."""
    if len(name) <= most:
        return name
    end = (most - 1) * 2 // 5
    return f"{name[: most - 1 - end]}…{name[-end:]}"


def box(says: Shown, at: Placed, link: str = "") -> str:
    """A group with a rectangle and two lines of text, in a link where there is one."""
    y = at.y + (17 if says.second else 24)
    rect = f'<rect x="{at.x:.1f}" y="{at.y:.1f}" width="{at.width:.1f}" height="{at.height:.0f}" rx="7"/>'
    lines = f'<text x="{at.x + _INSET:.1f}" y="{y:.1f}">{escape(says.first)}</text>'
    if says.second:
        lines += f'<text class="small" x="{at.x + _INSET:.1f}" y="{at.y + 31:.1f}">{escape(says.second)}</text>'
    if says.shares:
        lines += share_bar(says.shares, Placed(at.x + _INSET, at.y + at.height - 6, at.width - 2 * _INSET, 3))
    key = f" data-key={quoteattr(says.key)}" if link else ""
    inner = f"<g class={quoteattr(says.classes)}{key}><title>{escape(says.tip)}</title>{rect}{lines}</g>"
    return f"<a href={quoteattr(link)}>{inner}</a>" if link else inner


def share_bar(parts: tuple[float, ...], at: Placed) -> str:
    """A rectangle for each phase, those that no step is in without width, so that a page can change them."""
    made = []
    x = at.x
    for phase, share in zip(ORDER, parts, strict=True):
        long = share * at.width
        size = f'x="{x:.1f}" y="{at.y:.1f}" width="{long:.1f}" height="{at.height:.0f}"'
        made.append(f'<rect class="share {phase.lower()}" {size}/>')
        x += long
    return f'<g class="shares" data-x="{at.x:.1f}" data-width="{at.width:.1f}">{"".join(made)}</g>'
