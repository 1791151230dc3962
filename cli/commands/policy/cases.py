"""`policy test`: judges the cases of PolicyTest files, without a cluster."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from cli.exits import CliError, Exit
from cli.files.manifests import STDIN, files, load
from cli.output import note, print_data, say
from cli.views import policy_results
from cli.views.policy_results import FileResults
from shared.codec.api_words import fault_text
from shared.kinds import JOBFLOWPOLICYEXCEPTION
from shared.model.types import Body
from webhook.lint.policy_case import KIND, BadCase, CaseResult, PolicyTest, judge_case

_WATCH_SECONDS: Final = 0.5


def test(arguments: argparse.Namespace) -> int:
    """Return 0 if every case passes, 1 if not, 2 if a file cannot be read or is not a test.

    With --watch it goes on until Ctrl-C, a KeyboardInterrupt.
    """
    if not arguments.watch:
        return _run(arguments)
    seen: dict[str, float] | None = None
    while True:
        if (now := _times(arguments.paths)) != seen:
            seen = now
            try:
                _run(arguments)
            except CliError as error:
                note(error.message)
        time.sleep(_WATCH_SECONDS)


def _run(arguments: argparse.Namespace) -> int:
    results = [FileResults(file, tuple(_judged(file, test))) for file, test in _tests(arguments.paths)]
    form = arguments.output or "text"
    show = say if form == "text" else print_data
    show(policy_results.FORMATS[form](results))
    return Exit.OK if all(result.passed for each in results for result in each.results) else Exit.NO


def _times(paths: list[str]) -> dict[str, float]:
    """When each file of the folders with tests was changed: policies are beside their tests, or above them."""
    folders = {Path(name).absolute() if Path(name).is_dir() else Path(name).absolute().parent for name in paths}
    found = {str(file): file.stat().st_mtime for folder in folders for file in folder.rglob("*.y*ml")}
    for test in [file for file in found if file.endswith((".yaml", ".yml"))]:
        for other in Path(test).parent.parent.glob("*.y*ml"):
            found[str(other)] = other.stat().st_mtime
    return found


def _tests(paths: list[str]) -> Iterator[tuple[str, PolicyTest]]:
    """Every PolicyTest of the files and folders. Raises CliError, also if there is none."""
    found = False
    for file in files(paths):
        for manifest in load([file]):
            if manifest.body.get("kind") == KIND:
                found = True
                yield file, _parsed(file, manifest.body)
            elif file in paths and file != STDIN:
                raise CliError(f"{file}: {manifest.body.get('kind')} is not a {KIND}")
    if not found:
        raise CliError(f"{', '.join(paths)}: no {KIND} in there")


def _parsed(file: str, body: Body) -> PolicyTest:
    try:
        return msgspec.convert(body, PolicyTest)
    except msgspec.ValidationError as error:
        raise CliError(f"{file}: {fault_text(str(error))}") from error


def _judged(file: str, test: PolicyTest) -> Iterator[CaseResult]:
    policies, resources = _objects(file, test.policies), _objects(file, test.resources)
    exceptions = _objects(file, test.exceptions)
    if any(each.get("kind") != JOBFLOWPOLICYEXCEPTION.kind for each in exceptions):
        raise CliError(f"{file}: exceptions: must be JobFlowPolicyExceptions")
    if not policies or any(each.get("kind") != "JobFlowPolicy" for each in policies):
        raise CliError(f"{file}: policies: must be one or more JobFlowPolicies")
    for number, case in enumerate(test.cases):
        try:
            yield judge_case(case, policies, resources, exceptions, time.time())
        except BadCase as error:
            raise CliError(f"{file}: cases[{number}].{error}") from error


def _objects(file: str, given: tuple[str | Body, ...]) -> list[Body]:
    """The objects of a list of paths, which are relative to the file, and objects."""
    found: list[Body] = []
    for each in given:
        if isinstance(each, str):
            found += [manifest.body for manifest in load([str(Path(file).parent / each)])]
        else:
            found.append(each)
    return found
