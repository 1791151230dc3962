"""`lint`: files in, findings out."""

import argparse
import sys
from typing import Any

from cli.check import Report, check
from cli.exits import CliError, Exit
from cli.manifests import files, load, parse, read
from cli.views import findings


def run(arguments: argparse.Namespace) -> int:
    """0: no errors (warnings are none); 1: errors; 2: a file cannot be read."""
    given = [each for name in files(arguments.files) for each in parse(name, read(name))]
    report = check(given, _policies(arguments.policy), arguments.namespace or "default")
    if arguments.output == "json":
        print(findings.as_json(report))
    elif arguments.output == "sarif":
        print(findings.as_sarif(report))
    else:
        _print(report)
    return Exit.NO if report.errors else Exit.OK


def _policies(names: list[str]) -> list[dict[str, Any]]:
    found = []
    for manifest in load(names):
        if manifest.body.get("kind") != "JobFlowPolicy":
            raise CliError(f"{manifest.file}: {manifest.body.get('kind')} is no JobFlowPolicy")
        _refuse_broken(manifest.body, manifest.file)
        found.append(manifest.body)
    return found


def _refuse_broken(body: dict[str, Any], file: str) -> None:
    from shared.policy import CompiledPolicy, compile_policy

    made = compile_policy(body)
    if not isinstance(made, CompiledPolicy):
        raise CliError(f"{file}: the policy cannot work: " + "; ".join(str(fault) for fault in made))


def _print(report: Report) -> None:
    from cli.output import console

    out = console(sys.stdout)
    for line in findings.as_text(report):
        out.print(line, soft_wrap=True, highlight=False)
