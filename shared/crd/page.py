"""Generated documentation pages: `make generate` writes them, `make verify` compares them."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path


def keep(program: str, about: str | None, page: Path, render: Callable[[], str], argv: list[str] | None) -> int:
    """Writes the page, or with `--check` only compares it. Returns the exit status: 1 if the page is out of date."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=about)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the page is out of date")
    parser.add_argument("--page", type=Path, default=page)
    options = parser.parse_args(argv)
    wanted = render()
    if not options.check:
        options.page.parent.mkdir(parents=True, exist_ok=True)
        options.page.write_text(wanted)
        return 0
    if options.page.is_file() and options.page.read_text() == wanted:
        return 0
    print(f"out of date: {options.page}: run `make generate`", file=sys.stderr)
    return 1
