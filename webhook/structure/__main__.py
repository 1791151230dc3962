"""`python -m webhook.structure` generates the chart's policies for broken graphs; `--check` compares."""

import sys
from pathlib import Path
from typing import Final

import yaml

from shared.crd import generated
from webhook.structure.policies import policies

FILE: Final = Path("helm/jobflow/files/structure.yaml")
HEADER: Final = "# Generated from webhook/structure by `make generate`; do not edit.\n"


def render() -> str:
    """The whole file."""
    return HEADER + yaml.safe_dump({"policies": policies()}, sort_keys=False, width=160)


def main(argv: list[str] | None = None) -> int:
    return generated.keep(str(__package__), __doc__, FILE, render, argv)


if __name__ == "__main__":
    sys.exit(main())
