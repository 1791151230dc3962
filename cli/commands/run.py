"""`run`: creates a flow from a file with the templates it needs, or runs an existing one again under a new name."""

import argparse
from collections.abc import Mapping
from typing import Final

from cli.client import Session, live
from cli.exits import CliError, Exit
from cli.files.manifests import is_file, load
from cli.output import as_name, note, print_bodies, say
from cli.params import PARAMS_HINT, pairs, with_params
from cli.pick import name_of, of_kind, the_flow
from shared.actions.reruns import again, named
from shared.children.manual_runs import UnfitParams, template_flow
from shared.kinds import JOBFLOW, JOBFLOWTEMPLATE, JOBTEMPLATE, QUEUE, Kind
from shared.kube.client.errors import AlreadyExists
from shared.kube.client.requests import APPLY_PATCH
from shared.model.types import Body
from webhook.lint.manifests import Manifest

MANAGER: Final = "jobflow-cli"


def run(arguments: argparse.Namespace) -> int:
    values = pairs(arguments.param, "-p")
    if bool(arguments.template) is bool(arguments.flow):
        raise CliError("give a FILE, the NAME of a JobFlow, or --template NAME", Exit.USAGE)
    if arguments.template:
        return _from_template(arguments, values)
    manifests = load([arguments.flow]) if is_file(arguments.flow) else []
    given = the_flow(manifests, "", arguments.flow) if manifests or is_file(arguments.flow) else None

    async def work(session: Session) -> int:
        body = given or await session.api.get(JOBFLOW, session.namespace, arguments.flow)
        fresh = with_params(again(body) if given is None else body, values)
        fresh = named(fresh, arguments.name, _namespace(fresh, session, arguments))
        await _apply(session, manifests)
        return await _finish(session, arguments, await _create(session, fresh))

    return live(arguments, work, follows=arguments.watch)


def _from_template(arguments: argparse.Namespace, values: Mapping[str, str]) -> int:
    async def work(session: Session) -> int:
        template = await session.api.get(JOBFLOWTEMPLATE, session.namespace, arguments.template)
        try:
            fresh = template_flow(template, values)
        except UnfitParams as error:
            raise CliError(str(error), Exit.NO, PARAMS_HINT) from error
        fresh = named(fresh, arguments.name, session.namespace)
        return await _finish(session, arguments, await _create(session, fresh))

    return live(arguments, work, follows=arguments.watch)


async def _finish(session: Session, arguments: argparse.Namespace, created: Body) -> int:
    """Print what was created, and follow it with --watch."""
    metadata = created["metadata"]
    if arguments.output:
        print_bodies([created], arguments.output)
    else:
        say(f"{as_name(created)} created")
    if not arguments.watch:
        return Exit.OK
    from cli.commands.status import watch

    return await watch(Session(session.api, session.transport, metadata["namespace"]), metadata["name"])


def _namespace(body: Body, session: Session, arguments: argparse.Namespace) -> str:
    """The namespace of the manifest, else of the session.

    As in kubectl, a manifest with a namespace other than -n is refused.
    """
    said = str((body.get("metadata") or {}).get("namespace") or "")
    if said and arguments.namespace and said != arguments.namespace:
        raise CliError(f'the namespace of the manifest is "{said}", but -n is "{arguments.namespace}"')
    return said or session.namespace


async def _create(session: Session, body: Body) -> Body:
    try:
        return await session.api.create(JOBFLOW, body, namespace=body["metadata"]["namespace"], strict=True)
    except AlreadyExists as error:
        name = name_of(body)
        raise CliError(
            error.message,
            Exit.REFUSED,
            f"to run it again under a new name: jobflow run {name}; to choose the name: --name NAME",
        ) from error


async def _apply(session: Session, manifests: list[Manifest]) -> None:
    """Apply the Queues and JobTemplates of the same file before the flow is created."""
    applied = {JOBFLOW.kind, *(kind.kind for kind in (QUEUE, JOBTEMPLATE))}
    if others := [
        f"{each.body.get('kind')} {name_of(each.body)}" for each in manifests if each.body.get("kind") not in applied
    ]:
        note(f"Warning: not applied: {', '.join(others)}; apply them with kubectl")
    for kind in (QUEUE, JOBTEMPLATE):
        for body in of_kind(manifests, kind):
            await _apply_one(session, kind, body)


async def _apply_one(session: Session, kind: Kind, body: Body) -> None:
    namespace = str((body.get("metadata") or {}).get("namespace") or session.namespace) if kind.namespaced else ""
    change = named(body, "", namespace) if kind.namespaced else body
    made = await session.api.patch(
        kind, namespace, name_of(body), change, content_type=APPLY_PATCH, field_manager=MANAGER, force=True
    )
    note(f"{as_name(made)} applied")
