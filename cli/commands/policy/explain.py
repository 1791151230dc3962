"""`policy explain`: what policies say of one object."""

import argparse
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from cli.client import Session, live
from cli.commands.lint import labels_of
from cli.exits import CliError, Exit
from cli.files.manifests import is_file, load
from cli.files.policies import policy_files
from cli.output import say
from cli.policy_exceptions import exceptions_of, stored_exceptions
from cli.views import policy_texts
from shared.kinds import JOBFLOWPOLICY, NAMESPACE, Kind
from shared.kube.client.errors import Forbidden, NotFound
from shared.model.types import Body
from shared.policy import EMBEDDED, Compiler, PolicyContext, request_variable
from shared.policy.embedded import JUDGED, OUTER
from shared.policy.exceptions import Exceptions
from shared.policy.explain import explain as explanations

_KINDS: Final[dict[str, Kind]] = {kind.kind.lower(): kind for kind in (*JUDGED, *OUTER)}
_CREATE: Final = "CREATE"
_DEFAULT: Final = "default"


def explain(arguments: argparse.Namespace) -> int:
    """Return 0, or 1 if an enforced policy would refuse the object."""
    if is_file(arguments.object) and arguments.policy:
        bodies = [each.body for each in load([arguments.object])]
        given = policy_files(arguments.policy)
        default = arguments.namespace or _DEFAULT
        return _explain(bodies, given.policies, exceptions_of(given.exceptions, default), arguments, namespaces={})
    return live(arguments, lambda session: _explain_live(session, arguments))


async def _explain_live(session: Session, arguments: argparse.Namespace) -> int:
    given = policy_files(arguments.policy)
    policies = given.policies or [body async for body in session.api.list(JOBFLOWPOLICY)]
    if is_file(arguments.object):
        bodies = [each.body for each in load([arguments.object])]
    else:
        kind, name = _named(arguments.object)
        bodies = [await session.api.get(kind, session.namespace, name)]
    stored = [] if given.policies else await stored_exceptions(session, session.namespace)
    exceptions = exceptions_of([*given.exceptions, *stored], session.namespace)
    namespaces = {}
    for name in {_namespace(body, session.namespace) for body in bodies}:
        namespaces[name] = await _namespace_body(session, name)
    return _explain(bodies, policies, exceptions, arguments, namespaces)


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
    bodies: Iterable[Body],
    policies: Sequence[Body],
    exceptions: Exceptions,
    arguments: argparse.Namespace,
    namespaces: Mapping[str, Body | None],
) -> int:
    compiled = Compiler().compile(policies).compiled
    in_process = {body["metadata"]["name"]: _in_process(body) for body in policies}
    refused = found = False
    for body in bodies:
        kind = _KINDS.get(str(body.get("kind")).lower())
        if kind is None or body.get("apiVersion") != kind.api_version:
            continue
        found = True
        context = _context(kind, body, arguments, namespaces)
        said = tuple(explanations(context, compiled, exceptions)) if context is not None else ()
        say(policy_texts.explained(body, said, in_process))
        refused = refused or any(each.mode == "Enforce" and each.failed for each in said)
    if not found:
        kinds = ", ".join(kind.kind for kind in _KINDS.values())
        raise CliError(f"{arguments.object}: contains none of {kinds}", Exit.NOT_FOUND)
    return Exit.NO if refused else Exit.OK


def _in_process(policy: Body) -> tuple[str, ...]:
    """The rules that the API server itself enforces; none of a policy in a file."""
    return tuple(((policy.get("status") or {}).get("inProcess") or {}).get("rules") or ())


def _context(
    kind: Kind, body: Body, arguments: argparse.Namespace, namespaces: Mapping[str, Body | None]
) -> PolicyContext | None:
    """The object, or the Job or JobFlow that it contains, as if the user of the flags created it now; None if it contains
    none."""
    embedded = EMBEDDED.get((kind.group, kind.kind))
    judged = body if embedded is None else embedded.body(body)
    if judged is None:
        return None
    namespace = _namespace(body, arguments.namespace or _DEFAULT)
    known = namespaces.get(namespace)
    if known is None and arguments.namespace_labels is not None:
        known = {"metadata": {"name": namespace, "labels": labels_of(arguments.namespace_labels)}}
    user = {"username": arguments.user, "groups": list(arguments.group), "extra": {}}
    kind = kind if embedded is None else embedded.kind
    name = str((judged.get("metadata") or {}).get("name") or "")
    return PolicyContext(
        kind=kind,
        body=judged,
        namespace=namespace,
        operation=_CREATE,
        username=arguments.user,
        groups=tuple(arguments.group),
        request=request_variable(kind, operation=_CREATE, name=name, namespace=namespace, user=user),
        namespace_body=known or {"metadata": {"name": namespace}},
        embedded=embedded,
        now=time.time(),
    )


def _namespace(body: Body, default: str) -> str:
    return str((body.get("metadata") or {}).get("namespace") or default)
