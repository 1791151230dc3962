"""A flow as a bar for each of its layers, as SVG elements. Pure."""

from collections.abc import Callable, Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from drawing.layers import Bar, Layers
from drawing.layers import shares as counted
from drawing.layout.model import Placed
from drawing.phase_style import SYMBOLS
from drawing.svg.boxes import Shown, share_bar, shares
from drawing.svg.style import CHARACTER

WIDTH: Final = 900.0
PITCH: Final = 26.0
_LABEL: Final = 160.0
_TRACK: Final = 420.0
_HIGH: Final = 16.0

BarLink = Callable[[Bar], str]
"""The address that a click on a bar leads to."""


def bars(view: Layers, link: BarLink | None = None) -> Iterator[str]:
    """The longest bar is the layer with the most steps."""
    most = max((len(bar.steps) for bar in view.bars), default=1)
    for place, (bar, says) in enumerate(zip(view.bars, bar_states(view), strict=True)):
        yield _row(says, place * PITCH, _TRACK * len(bar.steps) / most, link(bar) if link else "")


def bar_states(view: Layers) -> Iterator[Shown]:
    """What each bar says now."""
    for bar in view.bars:
        second = _words(bar) if view.drawing.live else f"{len(bar.steps)}"
        parts = shares(bar.steps) if view.drawing.live else ()
        yield Shown(f"layer {bar.first}", "bar", bar.label, second, f"{bar.label}: {second}", parts)


def _words(bar: Bar) -> str:
    """`12: 10 ✓  2 ●`."""
    counts = "  ".join(f"{count} {SYMBOLS[phase]}" for phase, count in counted(bar.steps).items())
    return f"{len(bar.steps)}: {counts}"


def _row(says: Shown, y: float, long: float, link: str) -> str:
    middle = y + PITCH / 2
    at = Placed(_LABEL, middle - _HIGH / 2, max(long, 3.0), _HIGH)
    back = f'<rect class="track" x="{at.x:.1f}" y="{at.y:.1f}" width="{at.width:.1f}" height="{at.height:.0f}"/>'
    key = f" data-key={quoteattr(says.key)}" if link else ""
    inner = (
        f"<g class={quoteattr(says.classes)}{key}><title>{escape(says.tip)}</title>"
        f'<rect class="hit" x="0" y="{y:.1f}" width="{WIDTH:.0f}" height="{PITCH:.0f}"/>'
        f'<text x="0" y="{middle + 4.5:.1f}">{escape(says.first)}</text>{back}'
        f"{share_bar(says.shares, at) if says.shares else ''}"
        f'<text class="small" x="{at.x + at.width + CHARACTER:.1f}" y="{middle + 4:.1f}">{escape(says.second)}</text></g>'
    )
    return f"<a href={quoteattr(link)}>{inner}</a>" if link else inner
