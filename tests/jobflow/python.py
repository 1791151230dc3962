"""Python files of users, written and run as users would."""

import runpy
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent

from jobflow import Flow

MARK = "# !"
OF_THE_FLOW = "# flow"
HEAD = """\
from jobflow import (
    Approve, Flow, Job, JobTemplate, Output, Plugin, Resource, Schedule, SubFlow, Switch, Task, Template, attempt, index, item, last, plugin, schedule, secret, this,
)

OBJECT = {"apiVersion": "batch/v1", "kind": "Job", "spec": {}}
"""


def program(folder: Path, text: str, *, name: str = "flow.py", inside: bool = True) -> Path:
    """A file with `text` in the `with` block of a flow `f`, or as it is."""
    body = dedent(text).strip("\n")
    file = folder / name
    whole = f'with Flow("f", params={{"p": "1"}}) as f:\n{indent(body, "    ")}\n' if inside else f"{body}\n"
    file.write_text(HEAD + whole)
    return file


def flow_of(file: Path) -> Flow:
    found = runpy.run_path(str(file))["f"]
    assert isinstance(found, Flow)
    return found


def marked(file: Path) -> list[int]:
    """The lines on which a fault is expected; that of the flow itself where a comment says so."""
    lines = file.read_text().splitlines()
    whole = any(OF_THE_FLOW in line for line in lines)
    return [number for number, line in enumerate(lines, 1) if MARK in line or (whole and "with Flow(" in line)]


def lines_of(faults: object, file: Path) -> Iterator[int]:
    assert hasattr(faults, "__iter__")
    for each in faults:
        assert each.file == str(file), each
        yield each.line
