"""`export`: manifests as Python."""

import argparse

from cli.exits import CliError, Exit
from cli.files.manifests import load
from cli.output import print_data
from jobflow.source.convert import python_source


def run(arguments: argparse.Namespace) -> int:
    """Print a module that makes the same objects with the package `jobflow`."""
    manifests = load(arguments.files)
    try:
        print_data(python_source([each.body for each in manifests]), end="")
    except ValueError as fault:
        raise CliError(f"{', '.join(arguments.files)}: {fault}") from fault
    return Exit.OK
