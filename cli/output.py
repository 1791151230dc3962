"""Output: colours only on a terminal, and objects as JSON, YAML or names. All commands print through this module."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

from drawing.styled_line import StyledLine
from drawing.terminal_text import printable
from shared.model.types import Body
from shared.yaml_text import as_yaml

if TYPE_CHECKING:
    from rich.console import Console


def print_lines(lines: Iterable[StyledLine]) -> None:
    """Print to stdout, with colours on a terminal."""
    if not _shows_colours(sys.stdout):
        sys.stdout.writelines(f"{line.plain}\n" for line in lines)
        return
    from rich.text import Text

    # one print: rich takes five times as long for the lines one by one
    console(sys.stdout).print(Text("\n").join(line.rich() for line in lines), soft_wrap=True, highlight=False)


def terminal_width() -> int:
    """Columns of the terminal; 0 if stdout is none."""
    if not _shows_colours(sys.stdout):
        return 0
    out = console(sys.stdout)
    return out.width if out.is_terminal else 0


def _shows_colours(stream: TextIO) -> bool:
    """Whether rich might take it for a terminal."""
    return stream.isatty() or any(os.environ.get(name) for name in ("FORCE_COLOR", "TTY_COMPATIBLE"))


def console(stream: TextIO) -> "Console":
    """A rich Console; it prints no colours if `stream` is not a terminal or NO_COLOR is set."""
    from rich.console import Console

    return Console(file=stream, no_color=True if os.environ.get("NO_COLOR") else None, emoji=False, markup=False)


def note(text: str) -> None:
    """Print a line to stderr, so that scripts can parse stdout. Control characters are spelled out."""
    print(printable(text), file=sys.stderr)


def say(text: str, end: str = "\n") -> None:
    """Print text to stdout. Control characters are spelled out."""
    print(printable(text), end=end, flush=True)


def print_data(text: str, end: str = "\n") -> None:
    """Print what programs read, such as JSON, YAML or an `export` for a shell, as it is."""
    print(text, end=end, flush=True)


def as_json(bodies: Sequence[Body], *, listed: bool = False) -> str:
    """The object, or a List of several."""
    import json  # most commands print tables

    if len(bodies) == 1 and not listed:
        return json.dumps(bodies[0], indent=2, ensure_ascii=False)
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(bodies)}, indent=2, ensure_ascii=False)


def as_name(body: Body) -> str:
    """`jobflow.flow.volcano.sh/nightly`, as kubectl prints it."""
    group = body["apiVersion"].rpartition("/")[0]
    kind = body["kind"].lower()
    return f"{kind}.{group}/{body['metadata']['name']}" if group else f"{kind}/{body['metadata']['name']}"


def print_bodies(bodies: Sequence[Body], form: str, *, listed: bool = False) -> None:
    """Print objects as `json`, `yaml` or `name`, without managedFields."""
    clean = [_clean(body) for body in bodies]
    if form == "json":
        print_data(as_json(clean, listed=listed))
    elif form == "yaml":
        whole = [{"apiVersion": "v1", "kind": "List", "items": clean}] if listed else clean
        print_data(as_yaml(whole), end="")
    else:
        print_data("\n".join(as_name(body) for body in clean), end="\n" if clean else "")


def _clean(body: Body) -> Body:
    metadata = {key: value for key, value in body.get("metadata", {}).items() if key != "managedFields"}
    return {**body, "metadata": metadata} if "metadata" in body else body
