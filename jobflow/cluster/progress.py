"""A line on the terminal, or a table in a notebook, that follows a run."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Final

from drawing.terminal_text import printable
from jobflow.cluster.run_state import RunSnapshot
from shared.duration import text
from shared.model.phases import StepPhase

Show = Callable[[RunSnapshot, float], None]
_BAR: Final = 20
_WIDTH: Final = 110
_COLOURS: Final = {
    "Completed": "#2e9e5b",
    "Failed": "#d64545",
    "Running": "#3b7dd8",
    "Skipped": "#b9bdc4",
    "Terminated": "#8a8f98",
}
_OTHER: Final = "#dfe2e7"


@contextmanager
def shown(name: str, wanted: bool) -> Iterator[Show]:
    """Called with each state and the seconds since the wait began."""
    if not wanted:
        yield lambda state, seconds: None
        return
    display = _notebook()
    if display is not None:
        handle = display(_Html(""), display_id=True)
        yield lambda state, seconds: handle.update(_Html(html(name, state, seconds)))
        return
    last = ""

    def line(state: RunSnapshot, seconds: float) -> None:
        nonlocal last
        now = progress_line(name, state, seconds)
        without_time = progress_line(name, state, 0.0)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{now}")
        elif without_time != last:
            sys.stderr.write(f"{now}\n")
        sys.stderr.flush()
        last = without_time

    try:
        yield line
    finally:
        if sys.stderr.isatty():
            sys.stderr.write("\n")


def progress_line(name: str, state: RunSnapshot, seconds: float) -> str:
    """`nightly  ━━━━━━━━━━          3/6  12s  Running  train: waits for ...`."""
    ended, total = _counts(state)
    bar = "━" * round(_BAR * ended / total if total else 0)
    said = state.waiting or state.message
    line = f"{name}  {bar:<{_BAR}}  {ended}/{total}  {text(round(seconds))}  {state.phase}  {said}"
    return printable(" ".join(line.splitlines())).rstrip()[:_WIDTH]


def html(name: str, state: RunSnapshot, seconds: float) -> str:
    ended, total = _counts(state)
    cells = "".join(
        f"<span title='{escape(step.name)}: {escape(step.phase)} {escape(step.reason)}' style='display:inline-block;"
        f"width:{max(100 / max(total, 1) - 0.5, 0.2):.2f}%;height:0.8em;margin-right:0.4%;border-radius:2px;"
        f"background:{_COLOURS.get(step.phase, _OTHER)}'></span>"
        for step in state.steps.values()
    )
    said = escape(state.waiting or state.message)
    head = f"<b>{escape(name)}</b> {escape(state.phase)} {ended}/{total}, {text(round(seconds))}"
    return f"<div style='max-width:48em'>{head}<div>{cells}</div><small>{said}</small></div>"


class _Html:
    """What a notebook shows as HTML."""

    def __init__(self, text: str) -> None:
        self._text = text

    def _repr_html_(self) -> str:
        return self._text


def _notebook() -> Any:
    """IPython's `display` inside of a notebook, else None. IPython is not imported for it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from importlib import import_module

    return import_module("IPython.display").display


def _counts(state: RunSnapshot) -> tuple[int, int]:
    return sum(StepPhase(step.phase).ended for step in state.steps.values()), len(state.steps)
