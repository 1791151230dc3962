"""`python -m webhook.inprocess` generates the chart's policies for JobFlowPolicies; `--check` compares."""

import sys
from pathlib import Path
from typing import Final

import yaml

from shared.crd import generated
from webhook.inprocess.admission_policies import modes, policies

FILE: Final = Path("helm/jobflow/files/policies.yaml")
HEADER: Final = "# Generated from webhook/inprocess by `make generate`; do not edit.\n"


def render() -> str:
    """The whole file."""
    chosen = [each._asdict() for each in modes()]
    return HEADER + yaml.safe_dump({"modes": chosen, "policies": policies()}, sort_keys=False, width=160)


def main(argv: list[str] | None = None) -> int:
    return generated.keep(str(__package__), __doc__, FILE, render, argv)


if __name__ == "__main__":
    sys.exit(main())
