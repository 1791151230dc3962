"""Renders a drawing for other tools: Mermaid for web pages, DOT for Graphviz. Pure."""

from typing import Final

from drawing.graph_model import Arrow, Box, Drawing, Meaning
from shared.model.phases import StepPhase

_MERMAID: Final = {Meaning.COMPLETED: "-->", Meaning.FAILED: "-. failed .->", Meaning.ENDED: "-. ended .->"}
_FILLS: Final = {
    StepPhase.COMPLETED: "#dafbe1",
    StepPhase.RUNNING: "#cdf3fb",
    StepPhase.PENDING: "#ddf4ff",
    StepPhase.RETRYING: "#fff8c5",
    StepPhase.SUSPENDED: "#fbefff",
    StepPhase.FAILED: "#ffebe9",
    StepPhase.TERMINATED: "#ffebe9",
    StepPhase.SKIPPED: "#eeeeee",
    StepPhase.WAITING: "#ffffff",
}


def mermaid(drawing: Drawing) -> str:
    """A Mermaid flowchart."""
    number = _numbers(drawing)
    lines = ["flowchart LR"]
    lines += [f"  {number[box.step.name]}{_mermaid_box(box)}" for box in drawing.boxes]
    lines += [f"  {number[arrow.source]} {_mermaid_arrow(arrow)} {number[arrow.target]}" for arrow in drawing.arrows]
    if drawing.finals:
        lines.append("  subgraph finally")
        lines += [f"    {number[box.step.name]}{_mermaid_box(box)}" for box in drawing.finals]
        lines.append("  end")
    if drawing.live:
        for phase in StepPhase:
            found = [number[step.name] for step in drawing.flow.steps if step.phase is phase]
            if found:
                lines.append(f"  classDef {phase.lower()} fill:{_FILLS[phase]},color:#1f2328,stroke:#57606a")
                lines.append(f"  class {','.join(found)} {phase.lower()}")
    return "\n".join(lines) + "\n"


def _mermaid_box(box: Box) -> str:
    label = box.step.name + (f"<br/><small>{_html(box.note)}</small>" if box.note else "")
    return f'{{"{label}"}}' if box.step.kind == "switch" else f'["{label}"]'


def _mermaid_arrow(arrow: Arrow) -> str:
    return _MERMAID.get(arrow.meaning, "-.->")


def _html(text: str) -> str:
    """Escape a label, which Mermaid parses as HTML and ends at a quote."""
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(plain, entity)
    return text


def dot(drawing: Drawing) -> str:
    """A DOT graph for Graphviz."""
    number = _numbers(drawing)
    lines = [f"digraph {_quoted(drawing.flow.name)} {{", '  rankdir=LR; node [shape=box, style="rounded,filled"];']
    lines += [f"  {number[box.step.name]} [{_dot_box(box, drawing.live)}];" for box in drawing.boxes]
    for arrow in drawing.arrows:
        style = "" if arrow.meaning is Meaning.COMPLETED else f" [style=dashed, tooltip={_quoted(arrow.meaning)}]"
        lines.append(f"  {number[arrow.source]} -> {number[arrow.target]}{style};")
    if drawing.finals:
        lines.append('  subgraph cluster_finally { label="finally"; style=dashed;')
        lines += [f"    {number[box.step.name]} [{_dot_box(box, drawing.live)}];" for box in drawing.finals]
        lines.append("  }")
    return "\n".join((*lines, "}")) + "\n"


def _dot_box(box: Box, live: bool) -> str:
    label = box.step.name + (f"\n{box.note}" if box.note else "")
    fill = _FILLS[box.step.phase] if live else "#f6f8fa"
    return f"label={_quoted(label)}, fillcolor={_quoted(fill)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _numbers(drawing: Drawing) -> dict[str, str]:
    """Identifiers for the steps, because step names may contain characters that Mermaid and DOT do not allow."""
    return {box.step.name: f"n{place}" for place, box in enumerate((*drawing.boxes, *drawing.finals))}
