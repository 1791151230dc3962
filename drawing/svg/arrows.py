"""Arrows and knots as SVG. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from drawing.layout.bundles import Bundle
from drawing.layout.model import Layout, Point
from drawing.svg.style import CLASSES, DASHES

KNOT: Final = 9.0
_HEAD: Final = 7.0
_BULGE: Final = 30.0  # how far an arrow swings out where it turns back


def arrows(bundle: Bundle, placed: Layout) -> Iterator[str]:
    """Arrows that end at the same box share its left side; arrows that end at a knot have no head."""
    for arrow in bundle.arrows:
        ends = arrow.target not in bundle.knots
        path = _path(placed.routes[arrow.source, arrow.target], _HEAD if ends else 0)
        dash = f' stroke-dasharray="{DASHES[arrow.meaning]}"' if DASHES[arrow.meaning] else ""
        name = CLASSES[arrow.meaning]
        head = f' marker-end="url(#{name})"' if ends else ""
        yield f'<path class="arrow {name}" d="{path}"{dash}{head}/>'


def knots(bundle: Bundle, placed: Layout) -> Iterator[str]:
    """The dot of each knot, with a line across its layer."""
    for name, meaning in bundle.knots.items():
        at, kind = placed.boxes[name], CLASSES[meaning]
        yield f'<path class="arrow {kind}" d="M{at.x:.1f} {at.middle:.1f}h{at.width:.1f}"/>'
        yield f'<circle class="head {kind}" cx="{at.x + at.width / 2:.1f}" cy="{at.middle:.1f}" r="{KNOT / 2:.1f}"/>'


def _path(points: Sequence[Point], short: float) -> str:
    """The path: straight across layers, curved between them.

    It ends `short` before the box, where the arrow's head begins.
    """
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for place in range(0, len(points) - 1, 2):
        (x, y), (to_x, to_y) = points[place], points[place + 1]
        leaves = place + 2 < len(points) and points[place + 2][0] < to_x
        first, second = _controls(x, to_x, _BULGE if leaves else -_BULGE)
        if place + 2 >= len(points):
            to_x -= short
        parts.append(f"C{first:.1f} {y:.1f} {second:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
        if place + 2 < len(points):
            parts.append(f"L{points[place + 2][0]:.1f} {points[place + 2][1]:.1f}")
    return "".join(parts)


def _controls(x: float, to_x: float, out: float) -> tuple[float, float]:
    """Half way between two layers; where an arrow turns back it swings `out` to the right, then to the left."""
    if to_x > x:
        return (x + to_x) / 2, (x + to_x) / 2
    return x + out, to_x + out


def markers() -> str:
    heads = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto" markerUnits="userSpaceOnUse"><path class="head {name}" d="M0 0L8 4L0 8z"/></marker>'
        for name in CLASSES.values()
    )
    return f"<defs>{heads}</defs>"
