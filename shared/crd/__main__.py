"""`python -m shared.crd` writes the chart's CRDs from the models; with `--check` it only compares them.

`make generate` runs it, `make verify` runs it with `--check`.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

from shared.crd.definitions import DEFINITIONS, crd, file_name

FOLDER = Path("helm/jobflow/files/crds")
HEADER = "# Generated from shared/model by `make generate`; do not edit.\n"


class _Plain(yaml.SafeDumper):
    """Writes no YAML anchors, so that each schema is complete where it stands."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def render() -> dict[str, str]:
    """File name -> text of every CRD."""
    return {
        file_name(definition): HEADER + yaml.dump(crd(definition), Dumper=_Plain, sort_keys=False, width=120)
        for definition in DEFINITIONS
    }


def stale(folder: Path, wanted: dict[str, str]) -> list[str]:
    """Names of files that are missing, differ, or are not generated."""
    found = {path.name: path.read_text() for path in folder.glob("*.yaml")}
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


def write(folder: Path, wanted: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale(folder, wanted):
        if name in wanted:
            (folder / name).write_text(wanted[name])
        else:
            (folder / name).unlink()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is out of date")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(argv)
    wanted = render()
    if not options.check:
        write(options.folder, wanted)
        return 0
    for name in (outdated := stale(options.folder, wanted)):
        print(f"out of date: {options.folder / name}: run `make generate`", file=sys.stderr)
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main())
