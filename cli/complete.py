"""Names of live objects for shell completion: quick, or none."""

import argparse
import asyncio
from typing import Final

from cli.exits import CliError
from shared.kinds import JOB, JOBFLOW, JOBTEMPLATE, QUEUE, Kind

KINDS: Final[dict[str, Kind]] = {"jobflow": JOBFLOW, "job": JOB, "jobtemplate": JOBTEMPLATE, "queue": QUEUE}
_SECONDS: Final = 2.0


def names(kind: str, prefix: str, arguments: argparse.Namespace) -> list[str]:
    """Those that begin with `prefix`; nothing when the cluster cannot be asked: a shell must not wait or show errors."""
    from shared.kube.errors import ApiError

    try:
        return asyncio.run(_names(KINDS[kind], prefix, arguments))
    except (CliError, ApiError, OSError, ValueError):
        return []


async def _names(kind: Kind, prefix: str, arguments: argparse.Namespace) -> list[str]:
    from cli.client import session

    async with asyncio.timeout(_SECONDS), session(arguments) as opened:
        namespace = opened.namespace if kind.namespaced else ""
        found = [str(body["metadata"]["name"]) async for body in opened.api.list(kind, namespace)]
        return [name for name in found if name.startswith(prefix)]
