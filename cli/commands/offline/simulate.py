"""`simulate`: runs a flow by the controller's own decisions, without a cluster."""

import argparse
import json

import msgspec

from cli.exits import CliError, Exit
from cli.files.manifests import load
from cli.output import note, print_data, say
from cli.params import pairs
from cli.pick import name_of, of_kind, the_flow
from jobflow.simulation.result import SimulatedFlow
from jobflow.simulation.scenario import OutputNeeded, ScenarioError
from jobflow.simulation.simulate import simulate
from shared.duration import DurationError, seconds
from shared.kinds import JOBFLOWTEMPLATE, JOBTEMPLATE
from webhook.lint.check import check
from webhook.lint.manifests import Manifest


def run(arguments: argparse.Namespace) -> int:
    """1 when the flow does not succeed, or the cluster would refuse it."""
    manifests = load(arguments.files)
    flow = the_flow(manifests, arguments.flow, ", ".join(arguments.files))
    _refuse_faults(manifests)
    try:
        found = simulate(
            flow,
            {name_of(body): body for body in of_kind(manifests, JOBTEMPLATE)},
            flow_templates={name_of(body): body for body in of_kind(manifests, JOBFLOWTEMPLATE)},
            params=pairs(arguments.param, "-p"),
            fail=_failures(arguments.fail),
            outputs=_outputs(arguments.output_of),
            durations={step: _seconds(step, value) for step, value in pairs(arguments.duration, "--duration").items()},
            approvals=pairs(arguments.approval, "--approval"),
            seconds=_seconds("--seconds", arguments.seconds),
        )
    except OutputNeeded as fault:
        said = f"{fault.reader} reads the output {fault.output} of step {fault.step}"
        raise CliError(said, hint=f"say what it is: --output-of {fault.step}.{fault.output}=VALUE") from fault
    except ScenarioError as fault:
        raise CliError(str(fault)) from fault
    _print(found, arguments.output)
    return Exit.OK if found.succeeded else Exit.NO


def _refuse_faults(manifests: list[Manifest]) -> None:
    faults = [each for each in check(manifests).findings if each.severity == "error"]
    if faults:
        lines = "\n".join(f"  {each.file}:{each.line}: {each.text}" for each in faults)
        raise CliError(f"the cluster would refuse the manifests:\n{lines}", Exit.NO)


def _failures(texts: list[str]) -> dict[str, int]:
    """`STEP`, `STEP:ATTEMPT`, `STEP[INDEX]`, each with `=CODE` or not."""
    found = {}
    for text in texts:
        selector, equals, code = text.partition("=")
        if equals and not code.isdecimal():
            raise CliError(f"--fail {text}: the exit code must be a number, as in --fail train:1=137")
        found[selector] = int(code) if equals else 1
    return found


def _outputs(texts: list[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, value in pairs(texts, "--output-of").items():
        step, dot, output = name.rpartition(".")
        if not dot or not step or not output:
            raise CliError(f"--output-of {name}={value}: want STEP.NAME=VALUE")
        found.setdefault(step, {})[output] = value
    return found


def _seconds(name: str, text: str) -> float:
    """A number of seconds, or a duration."""
    try:
        return seconds(text if not text or text[-1].isalpha() else f"{text}s")
    except DurationError as error:
        raise CliError(f"{name}: {text} is no time: write 60, 90s or 1h30m") from error


def _print(found: SimulatedFlow, form: str) -> None:
    for each in found.assumed:
        note(f"assumed: {each}")
    if form == "json":
        print_data(json.dumps(msgspec.to_builtins(found), indent=2, ensure_ascii=False))
        return
    say(found.timeline())
