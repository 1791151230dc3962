"""`policy explain` and `policy scan`: what policies say of one object, and of all stored ones."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any, Final

from cli.client import Session, live
from cli.commands.lint import labels_of, policies_of
from cli.exits import CliError, Exit
from cli.files.manifests import is_file, load
from cli.views import policy_texts
from shared.kinds import JOB, JOBFLOW, JOBFLOWPOLICY, JOBTEMPLATE, NAMESPACE, Kind
from shared.kube.client.errors import Forbidden, NotFound
from shared.model.types import Body
from shared.policy import CompiledPolicy, Compiler, PolicyContext
from shared.policy.explain import explain as explanations
from shared.policy.judging.findings import findings, relevant
from shared.policy.running import is_running

_KINDS: Final[dict[str, Kind]] = {kind.kind.lower(): kind for kind in (JOBFLOW, JOB, JOBTEMPLATE)}
_CREATE: Final = "CREATE"


def explain(arguments: argparse.Namespace) -> int:
    """Return 0, or 1 if an enforced policy would refuse the object."""
    if is_file(arguments.object) and arguments.policy:
        bodies = [each.body for each in load([arguments.object])]
        return _explain(bodies, policies_of(arguments.policy), arguments, namespaces={})
    return live(arguments, lambda session: _explain_live(session, arguments))


async def _explain_live(session: Session, arguments: argparse.Namespace) -> int:
    given = policies_of(arguments.policy)
    policies = given or [body async for body in session.api.list(JOBFLOWPOLICY)]
    if is_file(arguments.object):
        bodies = [each.body for each in load([arguments.object])]
    else:
        kind, name = _named(arguments.object)
        bodies = [await session.api.get(kind, session.namespace, name)]
    namespaces = {}
    for name in {_namespace(body, session.namespace) for body in bodies}:
        namespaces[name] = await _namespace_body(session, name)
    return _explain(bodies, policies, arguments, namespaces)


def _named(text: str) -> tuple[Kind, str]:
    word, slash, name = text.partition("/")
    kind = _KINDS.get(word.lower())
    if kind is None or not slash or not name:
        raise CliError(f'"{text}" is neither a file nor KIND/NAME; kinds: {", ".join(_KINDS)}')
    return kind, name


async def _namespace_body(session: Session, name: str) -> Body | None:
    try:
        return await session.api.get(NAMESPACE, "", name)
    except (NotFound, Forbidden):
        return None


def _explain(
    bodies: Iterable[Body], policies: Sequence[Body], arguments: argparse.Namespace, namespaces: dict[str, Body | None]
) -> int:
    compiled = _compiled(policies)
    refused = found = False
    for body in bodies:
        kind = _KINDS.get(str(body.get("kind")).lower())
        if kind is None or body.get("apiVersion") != kind.api_version:
            continue
        found = True
        said = tuple(explanations(_context(kind, body, arguments, namespaces), compiled))
        print(policy_texts.explained(body, said))
        refused = refused or any(each.mode == "Enforce" and each.failed for each in said)
    if not found:
        raise CliError(f"{arguments.object}: contains no JobFlow, Job or JobTemplate", Exit.NOT_FOUND)
    return Exit.NO if refused else Exit.OK


def _context(
    kind: Kind, body: Body, arguments: argparse.Namespace, namespaces: dict[str, Body | None]
) -> PolicyContext:
    """The object as if the user of the flags created it now."""
    namespace = _namespace(body, arguments.namespace or "default")
    known = namespaces.get(namespace)
    if known is None and arguments.namespace_labels is not None:
        known = {"metadata": {"name": namespace, "labels": labels_of(arguments.namespace_labels)}}
    user = {"username": arguments.user, "groups": list(arguments.group), "uid": "", "extra": {}}
    request: dict[str, Any] = {"operation": _CREATE, "namespace": namespace, "userInfo": user, "dryRun": False}
    return PolicyContext(
        kind=kind,
        body=body,
        namespace=namespace,
        operation=_CREATE,
        username=arguments.user,
        groups=tuple(arguments.group),
        request=request,
        namespace_body=known or {"metadata": {"name": namespace}},
    )


def _namespace(body: Body, default: str) -> str:
    return str((body.get("metadata") or {}).get("namespace") or default)


def _compiled(policies: Sequence[Body]) -> tuple[CompiledPolicy, ...]:
    return Compiler().compile(policies).compiled


def scan(arguments: argparse.Namespace) -> int:
    """Return 0 if no stored object violates the policies of the files, else 1."""
    policies = _compiled(policies_of(arguments.files))
    if not policies:
        raise CliError(f"{', '.join(arguments.files)}: contains no JobFlowPolicy", Exit.NOT_FOUND)
    return live(arguments, lambda session: _scan(session, arguments, policies))


async def _scan(session: Session, arguments: argparse.Namespace, policies: Sequence[CompiledPolicy]) -> int:
    where = arguments.namespace
    stored = [(kind, body) for kind in _KINDS.values() async for body in session.api.list(kind, where)]
    try:
        spaces = {body["metadata"]["name"]: body async for body in session.api.list(NAMESPACE)}
    except Forbidden:
        spaces = {}
    templates = {_key(body) for kind, body in stored if kind is JOBTEMPLATE}
    running = [body for kind, body in stored if kind is JOBFLOW and is_running(body)]
    found = [
        (body, finding)
        for kind, body in stored
        for context in (_stored(kind, body, spaces, templates, running),)
        for policy in relevant(context, policies)
        for finding in findings(policy, context)
    ]
    if arguments.output == "json":
        print(policy_texts.scan_as_json(found, len(stored)))
    else:
        print(policy_texts.scanned(found, len(stored)))
    return Exit.NO if found else Exit.OK


def _stored(
    kind: Kind, body: Body, spaces: dict[str, Body], templates: set[tuple[str, str]], running: Sequence[Body]
) -> PolicyContext:
    namespace = body["metadata"]["namespace"]
    return PolicyContext(
        kind=kind,
        body=body,
        namespace=namespace,
        namespace_body=spaces.get(namespace),
        template_exists=lambda name: (namespace, name) in templates,
        running_flows=lambda: _older(running, body),
    )


def _older(running: Iterable[Body], flow: Body) -> int:
    """The running flows of its namespace that are older: the youngest ones exceed a limit."""
    mine = (str(flow["metadata"].get("creationTimestamp", "")), flow["metadata"]["name"])
    return sum(
        each["metadata"]["namespace"] == flow["metadata"]["namespace"]
        and (str(each["metadata"].get("creationTimestamp", "")), each["metadata"]["name"]) < mine
        for each in running
    )


def _key(body: Body) -> tuple[str, str]:
    return body["metadata"]["namespace"], body["metadata"]["name"]
