"""`render`: prints the Jobs of a step as the controller would create them."""

import argparse

from cli.exits import CliError, Exit
from cli.files.manifests import load
from cli.output import note, print_bodies
from cli.params import pairs, with_params
from cli.pick import name_of, of_kind, the_flow
from controller.jobflow.render import JobRenderer, RenderError, UnknownNameError, UnknownOutputError
from shared.kinds import JOB, JOBTEMPLATE
from shared.model.types import Body
from webhook.hints.names import did_you_mean
from webhook.lint.check import admit
from webhook.subject.lookups import OfflineLookups


def run(arguments: argparse.Namespace) -> int:
    """Return 1 if a Job would be refused or none can be built."""
    manifests = load(arguments.files)
    flow = with_params(the_flow(manifests, arguments.flow, ", ".join(arguments.files)), pairs(arguments.param, "-p"))
    flow = _placed(flow, arguments.namespace or "default")
    templates = {name_of(body): body for body in of_kind(manifests, JOBTEMPLATE)}
    try:
        renderer = JobRenderer(flow, templates, _outputs(arguments.output_of))
        steps = arguments.step or renderer.steps()
        jobs = [_without_owner(job) for step in steps for job in renderer.jobs(step, arguments.index)]
    except UnknownNameError as fault:
        hint = did_you_mean(fault.name, fault.known) or fault.advice
        option = "--output-of: " if isinstance(fault, UnknownOutputError) else ""
        raise CliError(f"{option}{fault}{hint}", Exit.NOT_FOUND) from fault
    except RenderError as fault:
        raise CliError(str(fault), Exit.NO) from fault
    print_bodies(jobs, arguments.output, listed=arguments.output == "json" and len(jobs) != 1)
    return _judge(jobs)


def _judge(jobs: list[Body]) -> int:
    """Print the violations that the webhook would find in the Jobs."""
    faults = 0
    for job in jobs:
        for violation in admit(JOB, job, OfflineLookups(), job["metadata"]["namespace"]).violations:
            note(f"{job['metadata']['name']}: {violation}")
            faults += 1
    return Exit.NO if faults else Exit.OK


def _placed(flow: Body, namespace: str) -> Body:
    """The Job with the metadata that the API server would set."""
    metadata = flow.get("metadata") or {}
    given = {
        "namespace": namespace,
        **metadata,
        "name": metadata.get("name") or f"{metadata.get('generateName') or ''}xxxxx",
    }
    return {**flow, "metadata": given}


def _without_owner(job: Body) -> Body:
    """The Job without owner reference, because a flow in a file has no uid."""
    metadata = {key: value for key, value in job["metadata"].items() if key != "ownerReferences"}
    return {**job, "metadata": metadata}


def _outputs(texts: list[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, value in pairs(texts, "--output-of").items():
        step, dot, output = name.partition(".")
        if not dot or not step or not output:
            raise CliError(f"--output-of {name}={value}: must be STEP.NAME=VALUE")
        found.setdefault(step, {})[output] = value
    return found
