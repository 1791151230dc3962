"""Generated files: `make generate` writes them, `make verify` compares them."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path


def keep(program: str, about: str | None, file: Path, render: Callable[[], str], argv: list[str] | None) -> int:
    """Writes the file, or with `--check` only compares it. Returns the exit status: 1 if the file is out of date."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=about)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file is out of date")
    parser.add_argument("--file", type=Path, default=file)
    options = parser.parse_args(argv)
    wanted = render()
    if not options.check:
        options.file.parent.mkdir(parents=True, exist_ok=True)
        options.file.write_text(wanted)
        return 0
    if options.file.is_file() and options.file.read_text() == wanted:
        return 0
    print(f"out of date: {options.file}: run `make generate`", file=sys.stderr)
    return 1
