"""`policy scan`: which stored objects violate policies that are not applied yet."""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence

from cli.client import Session, live
from cli.exits import CliError, Exit
from cli.files.policies import policy_files
from cli.output import print_data, say
from cli.policy_exceptions import exceptions_of, stored_exceptions
from cli.views import policy_texts
from shared.kinds import NAMESPACE, Kind
from shared.kube.client.errors import Forbidden, NotFound
from shared.model.types import Body
from shared.policy import CompiledPolicy, Compiler, PolicyFinding
from shared.policy.embedded import JUDGED, OUTER
from shared.policy.exceptions import Exceptions
from shared.policy.judging.findings import findings, relevant
from shared.policy.stored import view_of


def scan(arguments: argparse.Namespace) -> int:
    """Return 0 if no stored object violates the policies of the files, else 1."""
    given = policy_files(arguments.files)
    policies = Compiler().compile(given.policies).compiled
    if not policies:
        raise CliError(f"{', '.join(arguments.files)}: contains no JobFlowPolicy", Exit.NOT_FOUND)
    return live(arguments, lambda session: _scan(session, arguments, policies, given.exceptions))


async def _scan(
    session: Session, arguments: argparse.Namespace, policies: Sequence[CompiledPolicy], given: Sequence[Body]
) -> int:
    """`given`: exceptions of the files, which are judged beside those of the cluster."""
    stored = {kind: await _listed(session, kind, arguments.namespace) for kind in (*JUDGED, *OUTER)}
    namespaces = {body["metadata"]["name"]: body for body in await _listed(session, NAMESPACE, "")}
    exceptions = exceptions_of([*given, *await stored_exceptions(session, arguments.namespace)], session.namespace)
    everything = list(_violations(stored, namespaces, policies, exceptions))
    found = [(body, finding) for body, finding in everything if not finding.excepted_by]
    excepted = [(body, finding) for body, finding in everything if finding.excepted_by]
    checked = sum(len(bodies) for bodies in stored.values())
    if arguments.output == "json":
        print_data(policy_texts.scan_as_json(found, excepted, checked))
    else:
        say(policy_texts.scanned(found, len(excepted), checked))
    return Exit.NO if found else Exit.OK


async def _listed(session: Session, kind: Kind, namespace: str) -> list[Body]:
    """The objects of a kind; none of a kind that the cluster does not have, and no Namespaces without the right."""
    try:
        return [body async for body in session.api.list(kind, namespace)]
    except NotFound:
        return []
    except Forbidden:
        if kind is NAMESPACE:
            return []
        raise


def _violations(
    stored: Mapping[Kind, Sequence[Body]],
    namespaces: Mapping[str, Body],
    policies: Sequence[CompiledPolicy],
    exceptions: Exceptions,
) -> Iterator[tuple[Body, PolicyFinding]]:
    """Each violation with the stored object."""
    view = view_of(stored, namespaces, time.time())
    for kind, bodies in stored.items():
        for body in bodies:
            for context in view.contexts(kind, body):
                for policy in relevant(context, policies):
                    yield from ((body, finding) for finding in findings(policy, context, exceptions))
