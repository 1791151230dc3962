"""`lint`: checks files and prints the findings."""

import argparse
from collections.abc import Iterable

from cli.exits import CliError, Exit
from cli.files.manifests import files, parse, read
from cli.files.policies import policy_files
from cli.output import print_data, print_lines
from cli.views import findings
from shared.model.types import Body
from webhook.lint.check import check
from webhook.lint.manifests import Manifest
from webhook.lint.places import Broken, Place


def run(arguments: argparse.Namespace) -> int:
    """Return 0 without errors (warnings do not count), 1 with errors, 2 if a file cannot be read."""
    given = [each for name in files(arguments.files) for each in _objects(name, arguments.files)]
    labels = None if arguments.namespace_labels is None else labels_of(arguments.namespace_labels)
    report = check(given, _policies_of(arguments.policy), arguments.namespace or "default", labels)
    if arguments.output == "json":
        print_data(findings.as_json(report))
    elif arguments.output == "sarif":
        print_data(findings.as_sarif(report))
    else:
        print_lines(findings.as_text(report))
    return Exit.NO if report.errors else Exit.OK


def _objects(name: str, given: list[str]) -> Iterable[Manifest | Broken]:
    """The objects of all files. A file of a folder that is not text is reported, and the others are checked."""
    try:
        return list(parse(name, read(name)))
    except CliError as error:
        if name in given:
            raise
        return [Broken(name, Place(), error.message.removeprefix(f"{name}: "))]


def labels_of(text: str) -> dict[str, str]:
    """Parse `team=vision,env=prod`; an empty string means no labels."""
    pairs = [part.partition("=") for part in text.split(",") if part]
    for key, equals, _ in pairs:
        if not key or not equals:
            raise CliError(f'--namespace-labels: "{text}" is not a list such as team=vision,env=prod')
    return {key: value for key, _, value in pairs}


def _policies_of(names: list[str]) -> list[Body]:
    """The JobFlowPolicies of the files. Exceptions are not used: they depend on the time, and a manifest must be valid
    at any time."""
    found = policy_files(names)
    if found.exceptions:
        raise CliError("--policy: lint takes no JobFlowPolicyException; jobflow policy explain does")
    return found.policies
