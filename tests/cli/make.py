"""Helpers for tests of the command: run it in this process and capture its output."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cli.main import main
from shared.model.types import Body


class Ran(NamedTuple):
    """`code`: the exit code; what went to stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class CliCommand:
    """`command("lint", "x.yaml")`."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ran:
        try:
            code = main(arguments)
        except SystemExit as ended:  # argparse exits this way
            code = int(ended.code or 0)
        seen = self._capsys.readouterr()
        return Ran(code, seen.out, seen.err)


def write(path: Path, *bodies: Body) -> str:
    """Write the bodies to one YAML file and return its name. Names such as `n` are in quotes, because kubectl reads a boolean
    there.
    """
    path.write_text("".join(f"---\n{json.dumps(body, indent=1, ensure_ascii=False)}\n" for body in bodies))
    return str(path)


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def status(phase: str, steps: Sequence[Body], **more: Any) -> Body:
    """A JobFlow's status."""
    return {"state": {"phase": phase}, "steps": list(steps), **more}
