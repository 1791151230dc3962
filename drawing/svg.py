"""Renders a drawing as SVG: scalable, for light and dark pages, without scripts or external fonts. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from drawing.bundles import Bundle, bundled
from drawing.graph_model import Box, Drawing, Meaning
from drawing.grids import Block, folded, spread, standing
from drawing.layout import HEIGHT, PITCH, Layout, Placed, Point, layout
from drawing.phase_style import SYMBOLS
from shared.model.phases import StepPhase

_CHAR: Final = 7.85  # of a monospaced character of 13 px
_SMALL: Final = 6.05  # of 10 px
_LONGEST: Final = 30  # characters of a name; the rest is in the tooltip
_MARGIN: Final = 24.0
_TOP: Final = 64.0
_LEGEND: Final = 26.0
_KNOT: Final = 9.0
# (stroke, fill) in light and in dark.
_PHASES: Final[dict[StepPhase, tuple[str, str, str, str]]] = {
    StepPhase.WAITING: ("#8b949e", "#f6f8fa", "#6e7681", "#161b22"),
    StepPhase.PENDING: ("#0969da", "#ddf4ff", "#58a6ff", "#0c2d6b"),
    StepPhase.RUNNING: ("#0a7ea4", "#cdf3fb", "#39c5cf", "#0b3b45"),
    StepPhase.RETRYING: ("#9a6700", "#fff8c5", "#d29922", "#3b2300"),
    StepPhase.SUSPENDED: ("#8250df", "#fbefff", "#bc8cff", "#2e1461"),
    StepPhase.COMPLETED: ("#1a7f37", "#dafbe1", "#3fb950", "#033a16"),
    StepPhase.FAILED: ("#cf222e", "#ffebe9", "#f85149", "#490202"),
    StepPhase.SKIPPED: ("#afb8c1", "#ffffff", "#484f58", "#0d1117"),
    StepPhase.TERMINATED: ("#a40e26", "#fff1f0", "#da3633", "#3d0a0d"),
}
_DASHES: Final = {
    Meaning.COMPLETED: "",
    Meaning.FAILED: "6 4",
    Meaning.ENDED: "2 4",
    Meaning.PROBE: "10 3 2 3",
    Meaning.SWITCH: "1 4",
}
_CLASSES: Final = {
    Meaning.COMPLETED: "ok",
    Meaning.FAILED: "bad",
    Meaning.ENDED: "end",
    Meaning.PROBE: "probe",
    Meaning.SWITCH: "choice",
}


def svg(drawing: Drawing) -> str:
    """The whole document."""
    widths = {box.step.name: _width(box, drawing.live) for box in drawing.boxes}
    blocks, arrows = folded(widths, drawing.arrows)
    bundle = bundled(arrows)
    names = [*standing(widths, blocks), *bundle.knots]
    widths |= dict.fromkeys(bundle.knots, _KNOT) | {name: block.size[0] for name, block in blocks.items()}
    placed = spread(layout(names, [(each.source, each.target) for each in bundle.arrows], widths), blocks)
    legend = list(_legend_entries(drawing, bundle, blocks))
    title = _title(drawing)
    finals = list(_finals(drawing, placed))
    width = max([placed.width, len(title) * 9.7, 420.0, *(box.x + box.width for _, box in finals)])
    rows = _legend_rows(legend, width)
    below = max((box.y + box.height + 18 for _, box in finals), default=placed.height)
    total = (width + 2 * _MARGIN, _TOP + below + 24 + _LEGEND * len(rows) + _MARGIN)
    parts = [
        _opening(total, title),
        f"<title>{escape(title)}</title>",
        f"<style>{_style()}</style>",
        _markers(),
        f'<rect class="paper" width="{total[0]:.0f}" height="{total[1]:.0f}"/>',
        f'<text class="title" x="{_MARGIN:.0f}" y="36">{escape(title)}</text>',
        f'<g transform="translate({_MARGIN:.0f} {_TOP:.0f})">',
        *_arrows(bundle, placed),
        *_knots(bundle, placed),
        *(_frame(placed.boxes[name]) for name in blocks),
        *(_box(box, placed.boxes[box.step.name], drawing.live) for box in drawing.boxes),
        *_final_frame(finals, drawing.live),
        "</g>",
        f'<g transform="translate({_MARGIN:.0f} {_TOP + below + 24:.0f})">',
        *_legend(rows),
        "</g></svg>",
    ]
    return "\n".join(parts) + "\n"


def _opening(size: Point, title: str) -> str:
    across, down = (f"{length:.0f}" for length in size)
    box = f'viewBox="0 0 {across} {down}" width="{across}" height="{down}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" aria-label={quoteattr(title)}>'


def _title(drawing: Drawing) -> str:
    flow = drawing.flow
    if not drawing.live:
        return f"JobFlow {flow.name}"
    ended = sum(1 for step in flow.steps if step.phase.ended)
    return f"JobFlow {flow.namespace}/{flow.name}: {flow.phase}, {ended}/{len(flow.steps)}"


def _width(box: Box, live: bool) -> float:
    name = min(len(box.step.name), _LONGEST) + (2 if live else 0)
    return max(name * _CHAR, len(_cut(_second(box, live))) * _SMALL, 40.0) + 24


def _second(box: Box, live: bool) -> str:
    """The small line: what is special, and where it stands."""
    step = box.step
    iterations = f"{step.done}/{step.total}" if step.total > 0 else ""
    parts = (step.phase.lower() if live else "", iterations, box.note)
    return " · ".join(part for part in parts if part)


def _cut(text: str, most: int = 44) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _box(box: Box, at: Placed, live: bool) -> str:
    step = box.step
    second = _cut(_second(box, live))
    first = f"{SYMBOLS[step.phase]} " if live else ""
    y = at.y + (17 if second else 24)
    tip = ": ".join(part for part in (step.name, step.reason or "", step.message) if part)
    kind = f" {step.kind}" if step.kind else ""
    lines = f'<text x="{at.x + 12:.1f}" y="{y:.1f}">{escape(first + _cut(step.name, _LONGEST))}</text>'
    if second:
        lines += f'<text class="small" x="{at.x + 12:.1f}" y="{at.y + 31:.1f}">{escape(second)}</text>'
    shape = f'<rect x="{at.x:.1f}" y="{at.y:.1f}" width="{at.width:.1f}" height="{at.height:.0f}" rx="7"/>'
    phase = step.phase.lower() if live else "plain"
    return f'<g class="step {phase}{kind}"><title>{escape(tip)}</title>{shape}{lines}</g>'


def _arrows(bundle: Bundle, placed: Layout) -> Iterator[str]:
    """Those that end on the same box share its left side; those that end in a knot have no head."""
    for arrow in bundle.arrows:
        ends = arrow.target not in bundle.knots
        path = _path(placed.routes[arrow.source, arrow.target], 7 if ends else 0)
        dash = f' stroke-dasharray="{_DASHES[arrow.meaning]}"' if _DASHES[arrow.meaning] else ""
        name = _CLASSES[arrow.meaning]
        head = f' marker-end="url(#{name})"' if ends else ""
        yield f'<path class="arrow {name}" d="{path}"{dash}{head}/>'


def _knots(bundle: Bundle, placed: Layout) -> Iterator[str]:
    """A dot, and a line where its layer is wider."""
    for name, meaning in bundle.knots.items():
        at, kind = placed.boxes[name], _CLASSES[meaning]
        yield f'<path class="arrow {kind}" d="M{at.x:.1f} {at.middle:.1f}h{at.width:.1f}"/>'
        yield f'<circle class="head {kind}" cx="{at.x + at.width / 2:.1f}" cy="{at.middle:.1f}" r="{_KNOT / 2:.1f}"/>'


def _frame(at: Placed) -> str:
    return f'<rect class="frame" x="{at.x:.1f}" y="{at.y:.1f}" width="{at.width:.1f}" height="{at.height:.1f}" rx="9"/>'


def _path(points: Sequence[Point], short: float) -> str:
    """Straight through layers, bent between them; it stops `short` of the box, for the arrow's head."""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for place in range(0, len(points) - 1, 2):
        (x, y), (to_x, to_y) = points[place], points[place + 1]
        if place + 2 >= len(points):
            to_x -= short
        middle = (x + to_x) / 2
        parts.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
        if place + 2 < len(points):
            parts.append(f"L{points[place + 2][0]:.1f} {points[place + 2][1]:.1f}")
    return "".join(parts)


def _markers() -> str:
    heads = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto" markerUnits="userSpaceOnUse"><path class="head {name}" d="M0 0L8 4L0 8z"/></marker>'
        for name in _CLASSES.values()
    )
    return f"<defs>{heads}</defs>"


# --- finally --------------------------------------------------------------------------------------------------------


def _finals(drawing: Drawing, placed: Layout) -> Iterator[tuple[Box, Placed]]:
    """The boxes of `finally` in rows below everything else."""
    x, y = 12.0, placed.height + 58
    limit = max(placed.width, 600.0)
    for box in drawing.finals:
        width = _width(box, drawing.live)
        if x > 12.0 and x + width + 12 > limit:
            x, y = 12.0, y + PITCH
        yield box, Placed(x, y, width)
        x += width + 18


def _final_frame(finals: Sequence[tuple[Box, Placed]], live: bool) -> Iterator[str]:
    if not finals:
        return
    top = finals[0][1].y - 26
    right = max(at.x + at.width for _, at in finals) + 12
    bottom = max(at.y + HEIGHT for _, at in finals) + 12
    yield f'<rect class="frame" x="0" y="{top:.1f}" width="{max(right, 260):.1f}" height="{bottom - top:.1f}" rx="9"/>'
    yield f'<text class="small" x="12" y="{top + 17:.1f}">finally: once every step has ended</text>'
    yield from (_box(box, at, live) for box, at in finals)


# --- legend ---------------------------------------------------------------------------------------------------------

_Entry = tuple[str, str, str]  # what it is, its class or dash, what it means


def _legend_entries(drawing: Drawing, bundle: Bundle, blocks: Mapping[str, Block]) -> Iterator[_Entry]:
    """Only what the picture shows."""
    if drawing.live:
        shown = {step.phase for step in drawing.flow.steps}
        yield from (("phase", phase.lower(), f"{SYMBOLS[phase]} {phase}") for phase in StepPhase if phase in shown)
    used = {arrow.meaning for arrow in drawing.arrows}
    yield from (("arrow", meaning, meaning) for meaning in Meaning if meaning in used)
    if bundle.knots:
        yield "knot", "", "each behind the dot waits for those before it"
    if blocks:
        yield "frame", "", "an arrow at a frame is one of each step in it"


def _legend_rows(entries: Sequence[_Entry], width: float) -> list[list[tuple[float, _Entry]]]:
    rows: list[list[tuple[float, _Entry]]] = []
    x = width
    for entry in entries:
        length = 40 + len(entry[2]) * _SMALL * 1.1 + 22
        if not rows or x + length > width:
            rows.append([])
            x = 0.0
        rows[-1].append((x, entry))
        x += length
    return rows


def _legend(rows: Sequence[Sequence[tuple[float, _Entry]]]) -> Iterator[str]:
    for number, row in enumerate(rows):
        y = number * _LEGEND
        for x, (what, name, text) in row:
            if what == "phase":
                shape = f'<rect x="{x:.0f}" y="{y + 2:.0f}" width="28" height="14" rx="4"/>'
                yield f'<g class="step {name}">{shape}</g>'
            elif what == "frame":
                yield f'<rect class="frame" x="{x:.0f}" y="{y + 2:.0f}" width="28" height="14" rx="4"/>'
            elif what == "knot":
                yield f'<path class="arrow ok" d="M{x:.0f} {y + 9:.0f}h28"/>'
                yield f'<circle class="head ok" cx="{x + 14:.0f}" cy="{y + 9:.0f}" r="{_KNOT / 2:.1f}"/>'
            else:
                meaning = Meaning(name)
                kind, dash = _CLASSES[meaning], _DASHES[meaning]
                dashes = f' stroke-dasharray="{dash}"' if dash else ""
                ends = f'd="M{x:.0f} {y + 9:.0f}h22" marker-end="url(#{kind})"'
                yield f'<path class="arrow {kind}" {ends}{dashes}/>'
            yield f'<text class="small" x="{x + 36:.0f}" y="{y + 13:.0f}">{escape(text)}</text>'


def _style() -> str:
    """Light first; what differs in the dark again below."""
    base = (
        "text{font:13px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#1f2328}"
        ".title{font-size:16px;font-weight:600}.small{font-size:10px;fill:#59636e}"
        ".paper{fill:#ffffff}.step rect{stroke-width:1.5}.plain rect{fill:#f6f8fa;stroke:#57606a}"
        ".switch rect{stroke-dasharray:5 3}.for rect{stroke-width:3}"
        ".arrow{fill:none;stroke-width:1.4;stroke:#8b949e}.head{fill:#8b949e}"
        ".arrow.bad{stroke:#cf222e}.head.bad{fill:#cf222e}.arrow.choice,.arrow.probe{stroke:#8250df}"
        ".head.choice,.head.probe{fill:#8250df}.frame{fill:none;stroke:#8b949e;stroke-dasharray:4 4}"
    )
    dark = (
        "text{fill:#e6edf3}.small{fill:#9198a1}.paper{fill:#0d1117}.plain rect{fill:#161b22;stroke:#8b949e}"
        ".arrow{stroke:#6e7681}.head{fill:#6e7681}.arrow.bad{stroke:#f85149}.head.bad{fill:#f85149}"
        ".arrow.choice,.arrow.probe{stroke:#bc8cff}.head.choice,.head.probe{fill:#bc8cff}"
    )
    light_phases, dark_phases = "", ""
    for phase, (stroke, fill, dark_stroke, dark_fill) in _PHASES.items():
        light_phases += f".{phase.lower()} rect{{stroke:{stroke};fill:{fill}}}"
        dark_phases += f".{phase.lower()} rect{{stroke:{dark_stroke};fill:{dark_fill}}}"
    return f"{base}{light_phases}@media(prefers-color-scheme:dark){{{dark}{dark_phases}}}"
