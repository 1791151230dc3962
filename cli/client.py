"""How commands reach the cluster: the API client, the namespace, and errors as people read them."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from cli.exits import CliError, Exit
from shared.kinds import Kind
from shared.kube import connect
from shared.kube.api import Api
from shared.kube.errors import ApiError, Forbidden, NotFound, Unauthorized, Unavailable
from shared.kube.transport import Transport

Body = dict[str, Any]
_CAUSES: Final = 20


class Session(msgspec.Struct, frozen=True):
    """`namespace`: the one asked for, '' for all; `transport`: for answers that are no JSON."""

    api: Api
    transport: Transport
    namespace: str


def live(arguments: argparse.Namespace, work: Callable[[Session], Awaitable[int]]) -> int:
    """Run `work` with a session; errors of the API server become CliErrors."""

    async def run() -> int:
        async with session(arguments) as opened:
            return int(await work(opened))

    try:
        return asyncio.run(run())
    except ApiError as error:
        raise told(error) from error


@asynccontextmanager
async def session(arguments: argparse.Namespace) -> AsyncIterator[Session]:
    """Raises CliError when no cluster is configured."""
    _show_warnings()
    try:
        access = await connect.load(arguments.kubeconfig, arguments.context)
    except connect.NoCluster as error:
        raise CliError(str(error), Exit.UNREACHABLE, "name a cluster: --kubeconfig FILE, or $KUBECONFIG") from error
    transport = Transport(access, user_agent="jobflow-cli")
    async with Api(transport) as api:
        yield Session(api, transport, namespace_of(arguments))


def namespace_of(arguments: argparse.Namespace) -> str:
    """'' under -A; else -n, else the namespace of the kubeconfig's context, the Pod's, `default`."""
    if getattr(arguments, "all_namespaces", False):
        return ""
    if arguments.namespace:
        return str(arguments.namespace)
    path = arguments.kubeconfig or os.environ.get("KUBECONFIG", "")
    mounted = Path(connect.SERVICE_ACCOUNT) / "namespace"
    if not path and os.environ.get("KUBERNETES_SERVICE_HOST") and mounted.is_file():
        return mounted.read_text().strip()
    return _namespace_in(path or connect.HOME_KUBECONFIG, arguments.context) or "default"


def _namespace_in(paths: str, context: str) -> str:
    """Of the chosen context; files are merged as kubectl does: the first that says something wins."""
    import yaml

    found: dict[str, str] = {}
    current = context
    for path in (Path(part).expanduser() for part in paths.split(os.pathsep) if part):
        if not path.is_file():
            continue
        config = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}
        current = current or config.get("current-context") or ""
        for entry in config.get("contexts") or ():
            found.setdefault(entry.get("name") or "", (entry.get("context") or {}).get("namespace") or "")
    return found.get(current, "")


def told(error: ApiError) -> CliError:
    """The error with its exit code."""
    if isinstance(error, NotFound):
        missing = "could not find the requested resource" in error.message or "page not found" in error.message
        hint = "are JobFlow's CustomResourceDefinitions installed in this cluster?" if missing else ""
        return CliError(error.message, Exit.NOT_FOUND, hint)
    if isinstance(error, Unauthorized):
        return CliError(f"the API server does not know who asks: {error.message}", Exit.UNREACHABLE)
    if isinstance(error, Unavailable):
        return CliError(error.message, Exit.UNREACHABLE)
    if isinstance(error, Forbidden):
        return CliError(error.message, Exit.REFUSED)
    return CliError(_with_causes(error), Exit.REFUSED)


def _with_causes(error: ApiError) -> str:
    """Several faults stand one a line."""
    causes = [cause for cause in error.causes if cause.get("field")]
    if len(causes) < 2:
        return error.message
    head = error.message.partition(" is invalid")[0] + " is invalid:"
    lines = [f"  {cause['field']}: {cause.get('message', '')}" for cause in causes[:_CAUSES]]
    more = [f"  and {len(causes) - _CAUSES} more"] if len(causes) > _CAUSES else []
    return "\n".join((head, *lines, *more))


async def get_all(session: Session, kind: Kind, names: list[str]) -> list[Body]:
    """The named objects of the session's namespace, in order."""
    namespace = session.namespace if kind.namespaced else ""
    return list(await asyncio.gather(*(session.api.get(kind, namespace, name) for name in names)))


class _Warnings(logging.Handler):
    """The API server's warnings, as kubectl prints them; everything else that is logged is not for people."""

    def emit(self, record: logging.LogRecord) -> None:
        text = str(getattr(record, "warning", ""))
        if text:
            # The header's form is `299 - "TEXT"`.
            print(f"Warning: {text.partition(chr(34))[2].rpartition(chr(34))[0] or text}", file=sys.stderr)


def _show_warnings() -> None:
    root = logging.getLogger()
    if not any(isinstance(handler, _Warnings) for handler in root.handlers):
        root.addHandler(_Warnings())
