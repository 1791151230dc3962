"""Colours of pictures, for light and dark pages: one list for files and for the stylesheet of the web page. Pure."""

from collections.abc import Iterator
from typing import Final

from drawing.graph_model import Meaning
from shared.model.phases import StepPhase

CHARACTER: Final = 7.85  # width of a monospaced character of 13 px
SMALL: Final = 6.65  # width of a character of 11 px
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
DASHES: Final = {
    Meaning.COMPLETED: "",
    Meaning.FAILED: "6 4",
    Meaning.ENDED: "2 4",
    Meaning.PROBE: "10 3 2 3",
    Meaning.SWITCH: "1 4",
}
CLASSES: Final = {
    Meaning.COMPLETED: "ok",
    Meaning.FAILED: "bad",
    Meaning.ENDED: "end",
    Meaning.PROBE: "probe",
    Meaning.SWITCH: "choice",
}
_LIGHT: Final = (
    (
        "text",
        "font:13px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#1f2328;text-rendering:geometricPrecision",
    ),
    (".title", "font-size:16px;font-weight:600"),
    (".small", "font-size:11px;fill:#59636e"),
    (".paper", "fill:#ffffff"),
    (".step rect", "stroke-width:1.5"),
    (".step.plain rect", "fill:#f6f8fa;stroke:#57606a"),
    (".switch rect", "stroke-dasharray:5 3"),
    (".for rect", "stroke-width:3"),
    (".centre rect", "stroke-width:3.5"),
    (".arrow", "fill:none;stroke-width:1.4;stroke:#8b949e"),
    (".head", "fill:#8b949e"),
    (".arrow.bad", "stroke:#cf222e"),
    (".head.bad", "fill:#cf222e"),
    (".arrow.choice", "stroke:#8250df"),
    (".arrow.probe", "stroke:#8250df"),
    (".head.choice", "fill:#8250df"),
    (".head.probe", "fill:#8250df"),
    (".frame", "fill:none;stroke:#8b949e;stroke-dasharray:4 4"),
    (".track", "fill:#8b949e;stroke:none"),
    (".hit", "fill:none;stroke:none;pointer-events:all"),
    (".span", "stroke-width:1;stroke:#57606a;fill:#8b949e"),
    (".span.room", "fill:none;stroke-dasharray:2 2"),
    (".span.idle", "fill:none"),
    (".span.starting", "fill:#ddf4ff;stroke:#0969da"),
    (".critical .span", "stroke-width:2.2;stroke:#1f2328"),
    (".line", "stroke:#d0d7de;stroke-width:1"),
    (".now", "stroke:#cf222e;stroke-width:1.5;stroke-dasharray:4 3"),
)
_DARK: Final = (
    ("text", "fill:#e6edf3"),
    (".small", "fill:#9198a1"),
    (".paper", "fill:#0d1117"),
    (".step.plain rect", "fill:#161b22;stroke:#8b949e"),
    (".arrow", "stroke:#6e7681"),
    (".head", "fill:#6e7681"),
    (".arrow.bad", "stroke:#f85149"),
    (".head.bad", "fill:#f85149"),
    (".arrow.choice", "stroke:#bc8cff"),
    (".arrow.probe", "stroke:#bc8cff"),
    (".head.choice", "fill:#bc8cff"),
    (".head.probe", "fill:#bc8cff"),
    (".track", "fill:#6e7681"),
    (".span", "stroke:#9198a1;fill:#6e7681"),
    (".span.starting", "fill:#0c2d6b;stroke:#58a6ff"),
    (".critical .span", "stroke:#e6edf3"),
    (".line", "stroke:#30363d"),
    (".now", "stroke:#f85149"),
)


def style(scope: str = "") -> str:
    """The rules: light first, what differs in the dark after it. `scope`: a selector that every rule is below."""
    light, dark = [*_LIGHT], [*_DARK]
    for phase, (stroke, fill, dark_stroke, dark_fill) in _PHASES.items():
        name = phase.lower()
        light += [
            (f".step.{name} rect", f"stroke:{stroke};fill:{fill}"),
            (f".shares .share.{name}", f"fill:{stroke};stroke:none"),
            (f".span.running.{name}", f"fill:{stroke}"),
        ]
        dark += [
            (f".step.{name} rect", f"stroke:{dark_stroke};fill:{dark_fill}"),
            (f".shares .share.{name}", f"fill:{dark_stroke};stroke:none"),
            (f".span.running.{name}", f"fill:{dark_stroke}"),
        ]
    return f"{''.join(_rules(light, scope))}@media(prefers-color-scheme:dark){{{''.join(_rules(dark, scope))}}}"


def _rules(rules: list[tuple[str, str]], scope: str) -> Iterator[str]:
    before = f"{scope} " if scope else ""
    return (f"{before}{selector}{{{declarations}}}" for selector, declarations in rules)
