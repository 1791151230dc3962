"""`render`: prints the objects of a step as the controller would create them."""

import argparse

from cli.exits import CliError, Exit
from cli.files.manifests import load
from cli.output import note, print_bodies
from cli.params import pairs, with_params
from cli.pick import name_of, of_kind, the_flow
from controller.jobflow.render import FlowRenderer, RenderError, UnknownNameError, UnknownOutputError
from shared.kinds import JOB, JOBFLOWTEMPLATE, JOBTEMPLATE
from shared.model.types import Body
from webhook.hints.names import did_you_mean
from webhook.lint.check import admit
from webhook.subject.lookups import OfflineLookups


def run(arguments: argparse.Namespace) -> int:
    """Return 1 if an object would be refused or cannot be built."""
    manifests = load(arguments.files)
    flow = with_params(the_flow(manifests, arguments.flow, ", ".join(arguments.files)), pairs(arguments.param, "-p"))
    flow = _placed(flow, arguments.namespace or "default")
    templates = {name_of(body): body for body in of_kind(manifests, JOBTEMPLATE)}
    try:
        flow_templates = {name_of(body): body for body in of_kind(manifests, JOBFLOWTEMPLATE)}
        renderer = FlowRenderer(flow, templates, _outputs(arguments.output_of), flow_templates)
        steps = arguments.step or renderer.steps()
        bodies = [_without_owner(body) for step in steps for body in renderer.objects(step, arguments.index)]
    except UnknownNameError as fault:
        hint = did_you_mean(fault.name, fault.known) or fault.advice
        option = "--output-of: " if isinstance(fault, UnknownOutputError) else ""
        raise CliError(f"{option}{fault}{hint}", Exit.NOT_FOUND) from fault
    except RenderError as fault:
        raise CliError(str(fault), Exit.NO) from fault
    print_bodies(bodies, arguments.output, listed=arguments.output == "json" and len(bodies) != 1)
    return _judge([body for body in bodies if (body["apiVersion"], body["kind"]) == (JOB.api_version, JOB.kind)])


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


def _without_owner(body: Body) -> Body:
    """The object without owner reference, because a flow in a file has no uid."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "ownerReferences"}
    return {**body, "metadata": metadata}


def _outputs(texts: list[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, value in pairs(texts, "--output-of").items():
        step, dot, output = name.partition(".")
        if not dot or not step or not output:
            raise CliError(f"--output-of {name}={value}: must be STEP.NAME=VALUE")
        found.setdefault(step, {})[output] = value
    return found
