"""JobFlowPolicyExceptions for commands: those of the cluster and of files, at the present time."""

import time
from collections.abc import Iterable

from cli.client import Session
from shared.kinds import JOBFLOWPOLICYEXCEPTION
from shared.kube.client.errors import Forbidden, NotFound
from shared.model.types import Body
from shared.policy.exceptions import Exceptions


async def stored_exceptions(session: Session, namespace: str) -> list[Body]:
    """The exceptions of the namespace, '' for all; none where they do not exist or may not be read."""
    try:
        return [body async for body in session.api.list(JOBFLOWPOLICYEXCEPTION, namespace)]
    except (NotFound, Forbidden):
        return []


def exceptions_of(bodies: Iterable[Body], default: str) -> Exceptions:
    """Those that have effect now. `default`: the namespace of objects that name none."""
    by_namespace: dict[str, list[Body]] = {}
    for body in bodies:
        namespace = str(body["metadata"].get("namespace") or default)
        placed = {**body, "metadata": {**body["metadata"], "namespace": namespace}}
        by_namespace.setdefault(namespace, []).append(placed)
    return Exceptions(lambda namespace: by_namespace.get(namespace, ()), time.time())
