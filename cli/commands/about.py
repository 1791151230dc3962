"""`version` and `completion`."""

import argparse
import json
import platform
from importlib.metadata import version as installed

from cli.exits import Exit
from cli.output import print_data


def version(arguments: argparse.Namespace) -> int:
    found = installed("jobflow")
    if arguments.output == "json":
        print_data(
            json.dumps({"version": found, "python": platform.python_version(), "api": "flow.volcano.sh/v1alpha1"})
        )
    else:
        print_data(f"jobflow {found}")
    return Exit.OK


def completion(arguments: argparse.Namespace) -> int:
    from argcomplete.shell_integration import shellcode

    print_data(shellcode(["jobflow", "kubectl-jobflow"], shell=arguments.shell))
    return Exit.OK
