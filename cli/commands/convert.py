"""`template from-job` and `job from-template`: convert an object from a file or from the cluster."""

import argparse
from collections.abc import Callable

from cli.client import Session, live
from cli.exits import CliError, Exit
from cli.files import convert
from cli.files.manifests import is_file, load
from cli.output import note, print_bodies
from shared.kinds import JOB, JOBTEMPLATE, Kind
from shared.model.types import Body


def template_from_job(arguments: argparse.Namespace) -> int:
    return _run(arguments, JOB, lambda body: convert.template_from_job(body, arguments.name))


def job_from_template(arguments: argparse.Namespace) -> int:
    def made(body: Body) -> Body:
        if left := convert.placeholders(body):
            note(f"Warning: only a JobFlow replaces these placeholders: {', '.join(left)}")
        return convert.job_from_template(body, arguments.name)

    return _run(arguments, JOBTEMPLATE, made)


def _run(arguments: argparse.Namespace, kind: Kind, make: Callable[[Body], Body]) -> int:
    if is_file(arguments.source):
        bodies = [each.body for each in load([arguments.source])]
        found = [body for body in bodies if (body.get("apiVersion"), body.get("kind")) == (kind.api_version, kind.kind)]
        if not found:
            raise CliError(f"{arguments.source}: contains no {kind.kind} of {kind.api_version}", Exit.NOT_FOUND)
        if arguments.name and len(found) > 1:
            raise CliError(f"{arguments.source}: contains {len(found)} {kind.kind}s; --name needs exactly one")
        print_bodies([make(body) for body in found], arguments.output)
        return Exit.OK

    async def work(session: Session) -> int:
        print_bodies([make(await session.api.get(kind, session.namespace, arguments.source))], arguments.output)
        return Exit.OK

    return live(arguments, work)
