"""Shows a flow in a terminal: a header and the tree of steps. Steps that do not fit are summarised by phase. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from drawing.flow_view import FlowView, StepView, Tasks
from drawing.phase_style import COLOURS, SYMBOLS
from drawing.styled_line import StyledLine
from drawing.tree import Branch, branches
from shared.duration import lasted
from shared.model.phases import StepPhase
from shared.podstatus.taskstatus import TaskStatus

_GONE_WRONG: Final = (StepPhase.FAILED, StepPhase.TERMINATED)
_BAR: Final = 24
_NAMES: Final = 44  # maximum width of the column with the tree and the names; longer lines shift their other columns
_LISTED: Final = 6  # names in a summary line
_LEAST: Final = 8  # minimum number of lines, on the smallest terminal


def picture(flow: FlowView, now: float, width: int = 0, height: int = 0) -> list[StyledLine]:
    """At most `height` lines of at most `width` columns; 0: no limit."""
    head = [*_head(flow, now), StyledLine()]
    room = max(height - len(head), _LEAST) if height else 0
    finals = [step for step in flow.steps if step.final]
    steps = [step for step in flow.steps if not step.final]
    whole = len(steps) + (len(finals) + 1 if finals else 0)
    if room and whole > room:
        body = _summarised(flow.steps, now, room)
    else:
        rows = list(branches(steps))
        lines = _rows([*rows, *(Branch("", step) for step in finals)], now)
        body = [*lines[: len(rows)], StyledLine("finally", "bold"), *lines[len(rows) :]] if finals else lines
    whole_picture = [*head, *body]
    for line in whole_picture if width else ():
        line.cut(width)
    return whole_picture


def _head(flow: FlowView, now: float) -> list[StyledLine]:
    ended = sum(1 for step in flow.steps if step.phase.ended)
    total = len(flow.steps)
    time = lasted((flow.ended or now) - flow.started) if flow.started is not None else "not started"
    first = StyledLine.of(
        (f"{flow.namespace}/{flow.name}" if flow.namespace else flow.name, "bold"),
        "  ",
        (flow.phase, f"bold {COLOURS.get(flow.phase, '')}"),
        "  ",
        *_bar(flow.steps),
        f"  {ended}/{total}  {time}",
    )
    counts = Counter(step.phase for step in flow.steps)
    second = StyledLine("  ")
    for phase in StepPhase:
        if counts[phase]:
            second.append(f"{SYMBOLS[phase]} {counts[phase]} {phase.lower()}  ", COLOURS.get(phase, ""))
    second.rstrip()
    lines = [first, second]
    if pods := _pods(flow):
        lines.append(pods)
    if flow.reason or flow.message:
        said = ": ".join(part for part in (flow.reason, flow.message) if part)
        lines.append(StyledLine(f"  {said}", "red" if flow.phase == "Failed" else "yellow" if not flow.over else "dim"))
    return lines


def _bar(steps: Sequence[StepView]) -> list[tuple[str, str]]:
    """A progress bar with parts for completed, failed, skipped, active and other steps."""
    groups = (
        ("green", [StepPhase.COMPLETED]),
        ("red", _GONE_WRONG),
        ("bright_black", [StepPhase.SKIPPED]),
        ("cyan", [StepPhase.RUNNING, StepPhase.PENDING, StepPhase.RETRYING, StepPhase.SUSPENDED]),
    )
    parts: list[tuple[str, str]] = []
    begun = 0
    reached = 0
    for colour, phases in groups:
        begun += sum(1 for step in steps if step.phase in phases)
        upto = round(_BAR * begun / max(len(steps), 1))
        parts.append(("━" * (upto - reached), colour))
        reached = upto
    return [*parts, ("─" * (_BAR - reached), "dim")]


def _pods(flow: FlowView) -> StyledLine | None:
    pods = flow.pods
    if not pods.total:
        return None
    line = StyledLine(f"  pods: {pods.running} running, {pods.succeeded} succeeded, ")
    line.append(f"{pods.failed} failed", "red" if pods.failed else "")
    if pods.succeeded + pods.failed:
        line.append(f"  ({pods.failure_rate_percent:.1f} % failed)", "red" if pods.failed else "dim")
    return line


def _rows(rows: Iterable[Branch], now: float) -> list[StyledLine]:
    given = list(rows)
    widths = [len(row.prefix) + len(row.step.name) + 2 for row in given]
    column = min(max(widths, default=0), _NAMES)
    return [_row(row, column, now) for row in given]


def _row(row: Branch, column: int, now: float) -> StyledLine:
    step = row.step
    colour = COLOURS.get(step.phase, "")
    time = "" if step.started is None else lasted((step.ended or now) - step.started)
    named = f"{SYMBOLS[step.phase]} {step.name}"
    line = StyledLine.of((row.prefix, "dim"), (named, colour), " " * max(column - len(row.prefix) - len(named), 0))
    line.append(f"  {step.phase:<10}", colour)
    line.append(f" {time:>6}  " if step.phase is not StepPhase.SKIPPED else f" {'':>6}  ")
    for text, style in _details(step, row.others):
        line.append(text + "  ", style)
    line.rstrip()
    return line


def _iterations(step: StepView) -> str:
    """`3/5 iterations`. How many a `while` loop has is known when it has ended."""
    if step.total < 0 and step.phase.ended:
        return f"{step.done} iteration{'' if step.done == 1 else 's'}"
    return f"{step.done}/{step.total if step.total > 0 else '?'} iterations"


def _details(step: StepView, others: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    """The details of a step as (text, style), the most important first."""
    if step.phase in _GONE_WRONG or step.phase is StepPhase.SKIPPED:
        yield _why(step), "red" if step.phase in _GONE_WRONG else "dim"
    elif step.waiting:
        yield "; ".join(step.waiting), "yellow"
    elif step.reason:
        yield _why(step), "yellow"
    if step.total:
        yield _iterations(step), ""
    if step.attempts > 1:
        yield f"attempt {step.attempts}", "yellow"
    if not step.phase.ended and step.tasks:
        yield tasks_text(step.tasks), "cyan"
    if step.chosen is not None:
        yield f"chose {', '.join(step.chosen) or 'nothing'}", ""
    if step.outputs:
        yield " ".join(f"{name}={_short(value)}" for name, value in step.outputs.items()), "dim"
    if others and not step.waiting and not step.phase.ended:
        yield f"also after {_some(others)}", "dim"
    if step.kind and not step.phase.ended and not step.total:
        yield "loop" if step.kind == "for" else step.kind, "dim"


def tasks_text(tasks: Tasks) -> str:
    """`3 Running, 1 Pending`, in the order of a pod's life cycle."""
    return ", ".join(f"{tasks[state]} {state}" for state in TaskStatus if tasks.get(state))


def _why(step: StepView) -> str:
    return ": ".join(part for part in (step.reason, _short(step.message, 160)) if part)


def _short(text: str, most: int = 40) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _some(names: Sequence[str], most: int = _LISTED) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


# --- steps that do not fit -------------------------------------------------------------------------------------------


def _summarised(steps: Sequence[StepView], now: float, room: int) -> list[StyledLine]:
    """Active and failed steps as a tree; the others as one summary line for each phase."""
    wrong = [step.name for step in steps if step.phase in _GONE_WRONG]
    going = [step.name for step in steps if step.active]
    quiet = len({step.phase for step in steps if not step.active})
    space = max(room - quiet - 1, 2)
    kept_wrong = wrong[-max(space // 3, space - len(going)) :] if wrong else []
    shown = frozenset((*kept_wrong, *going[: space - len(kept_wrong)]))
    lines = _rows(branches(steps, shown), now)
    for phase in StepPhase:
        folded = [step for step in steps if step.phase is phase and step.name not in shown]
        if folded:
            lines.append(_fold(phase, folded))
    return lines


def _fold(phase: StepPhase, folded: list[StepView]) -> StyledLine:
    """`✓ 312 completed: ..., x, y, z`: names the steps that ended last; for phases that have not ended, the first
    steps.
    """
    if phase.ended:
        last = [step.name for step in sorted(folded, key=lambda step: step.ended or 0.0)[-_LISTED:]]
        names = ("… " if len(folded) > _LISTED else "") + ", ".join(last)
    else:
        names = _some([step.name for step in folded])
    return StyledLine(f"{SYMBOLS[phase]} {len(folded)} {phase.lower()}: {names}", COLOURS.get(phase, ""))
