"""`python -m webhook.structure` generates the chart's policies for broken graphs; `--check` compares."""

import argparse
import sys
from pathlib import Path
from typing import Final

import yaml

from webhook.structure.policies import policies

FILE: Final = Path("helm/jobflow/files/structure.yaml")
HEADER: Final = "# Generated from webhook/structure by `make generate`; do not edit.\n"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    parser.add_argument("--check", action="store_true", help="do not write; exit with 1 if the file is out of date")
    parser.add_argument("--file", type=Path, default=FILE)
    options = parser.parse_args(argv)
    wanted = HEADER + yaml.safe_dump({"policies": policies()}, sort_keys=False, width=160)
    if not options.check:
        options.file.write_text(wanted)
        return 0
    if options.file.exists() and options.file.read_text() == wanted:
        return 0
    print(f"out of date: {options.file}: run `make generate`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
