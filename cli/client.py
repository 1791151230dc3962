"""Access to the cluster for commands: the API client, the namespace, and error messages."""

import argparse
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, NoReturn

import msgspec

from cli.exits import CliError, Exit
from cli.output import note
from shared.kinds import Kind
from shared.kube.client import connect
from shared.kube.client.access import Access
from shared.kube.client.api import Api
from shared.kube.client.contexts import contexts, in_pod, namespace_in_use
from shared.kube.client.errors import ApiError, Forbidden, NotFound, Timeout, Unauthorized, Unavailable
from shared.kube.client.one_shot.transport import OneShotTransport
from shared.kube.client.sender import HttpTransport, RequestObserver
from shared.model.types import Body

_CAUSES: Final = 20
_UNKNOWN_FIELD_HINT: Final = (
    "the CustomResourceDefinition in this cluster lacks the field and would drop it: check its spelling; Volcano's own "
    "definitions lack many fields, so install those of JobFlow"
)
_SLOW_HINT: Final = (
    "the API server or its store (etcd) may be down: `kubectl get --raw '/livez?verbose'` names the check that fails; "
    "--request-timeout sets how long to wait"
)
_DENIED: Final = re.compile(r'^admission webhook "[^"]*" denied the request: ')


class Session(msgspec.Struct, frozen=True):
    """`namespace`: the requested one, '' for all; `transport`: for responses that are not JSON."""

    api: Api
    transport: HttpTransport
    namespace: str


def live(
    arguments: argparse.Namespace,
    work: Callable[[Session], Awaitable[int]],
    *,
    follows: bool = False,
    patience: float | None = None,
) -> int:
    """Run `work` with a session; errors of the API server become CliErrors.

    `follows`: the work has streams, or does several things at a time. Other work is done without an event loop, whose
    import takes as long as all that `list` does. `patience`: seconds for all of the work; after them CliError or
    TimeoutError is raised.
    """
    access = load_access(arguments)

    async def run() -> int:
        async with _session(arguments, access or await load_with_plugin(arguments), patience) as opened:
            try:
                return int(await work(opened))
            except NotFound as error:
                raise cli_error(error, opened.namespace) from error

    try:
        return _in_loop(run(), patience) if follows or access is None or access.proxy else _at_once(run())
    except ApiError as error:
        raise cli_error(error) from error


def _at_once(work: Coroutine[Any, Any, int]) -> int:
    """The result of a coroutine whose requests and pauses block, so that it never waits for anything else."""
    try:
        work.send(None)
    except StopIteration as ended:
        return int(ended.value)
    work.close()
    raise RuntimeError("the command needs an event loop")


def _in_loop(work: Coroutine[Any, Any, int], patience: float | None) -> int:
    """Ctrl-C ends also a blocking request: asyncio's own handler would cancel the task, which waits for the answer."""
    import asyncio
    import signal
    import threading

    def interrupt(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(asyncio.wait_for(work, patience))
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        return asyncio.run(asyncio.wait_for(work, patience))
    finally:
        signal.signal(signal.SIGINT, before)


@asynccontextmanager
async def _session(arguments: argparse.Namespace, access: Access, patience: float | None) -> AsyncIterator[Session]:
    transport = OneShotTransport(access, user_agent="jobflow-cli", patience=patience)
    limit = arguments.request_timeout
    async with Api(transport, timeout=limit, total=limit, observer=_WarningPrinter()) as api:
        yield Session(api, transport, namespace_of(arguments))


def load_access(arguments: argparse.Namespace) -> Access | None:
    """The API server and credentials that the flags name; None if a plugin gives them: see `load_with_plugin`. Raises
    CliError when no cluster is configured.
    """
    _check_context(arguments)
    try:
        return connect.load_now(arguments.kubeconfig, arguments.context)
    except connect.NeedsPlugin:
        return None
    except connect.NoCluster as error:
        raise _no_cluster(error) from error


async def load_with_plugin(arguments: argparse.Namespace) -> Access:
    """The same with a plugin, or without. Raises CliError."""
    _check_context(arguments)
    try:
        return await connect.load(arguments.kubeconfig, arguments.context)
    except connect.NoCluster as error:
        raise _no_cluster(error) from error


def _no_cluster(error: connect.NoCluster) -> CliError:
    return CliError(str(error), Exit.UNREACHABLE, "set $KUBECONFIG or use --kubeconfig FILE")


def namespace_of(arguments: argparse.Namespace) -> str:
    """'' with -A; otherwise the first that is set of: -n, the namespace of the kubeconfig's context, the Pod's,
    `default`.
    """
    if getattr(arguments, "all_namespaces", False):
        return ""
    if arguments.namespace:
        return str(arguments.namespace)
    return namespace_in_use(arguments.kubeconfig, arguments.context)


def _check_context(arguments: argparse.Namespace) -> None:
    """Raise CliError with the known contexts if the requested context does not exist or none is selected."""
    if in_pod(arguments.kubeconfig):
        return
    found, current = contexts(arguments.kubeconfig)
    if arguments.context and found and arguments.context not in found:
        from webhook.hints.names import did_you_mean

        said = f'context "{arguments.context}" does not exist{did_you_mean(arguments.context, found)}'
        raise CliError(said, Exit.UNREACHABLE, f"contexts: {', '.join(sorted(found))}")
    if found and not (arguments.context or current):
        raise CliError(
            "the kubeconfig has no current context",
            Exit.UNREACHABLE,
            f"use --context NAME; contexts: {', '.join(sorted(found))}",
        )


def cli_error(error: ApiError, namespace: str = "") -> CliError:
    """The error with its exit code. `namespace`: the namespace that was searched."""
    if isinstance(error, NotFound):
        missing = "could not find the requested resource" in error.message or "page not found" in error.message
        hint = "check that JobFlow's CustomResourceDefinitions are installed in this cluster" if missing else ""
        if namespace and not missing and "queues" not in error.message:
            hint = f"searched in namespace {namespace}; use -n NS for another one"
        return CliError(error.message, Exit.NOT_FOUND, hint)
    if isinstance(error, Unauthorized):
        return CliError(f"the API server rejected the credentials: {error.message}", Exit.UNREACHABLE)
    if isinstance(error, Timeout) and not error.status:
        return CliError(error.message, Exit.UNREACHABLE, _SLOW_HINT)
    if isinstance(error, Unavailable):
        return CliError(error.message, Exit.UNREACHABLE)
    if isinstance(error, Forbidden):
        return CliError(error.message, Exit.REFUSED)
    return CliError(_with_causes(error), Exit.REFUSED, _UNKNOWN_FIELD_HINT if _names_unknown_field(error) else "")


def _names_unknown_field(error: ApiError) -> bool:
    """Whether a create or a server-side apply was refused because of a field that the CRD of the cluster lacks."""
    return any(text in error.message for text in ("strict decoding error", "field not declared in schema"))


def _with_causes(error: ApiError) -> str:
    """The message with one line for each fault. The name of the webhook is left out, as kubectl does."""
    causes = [cause for cause in error.causes if cause.get("field")]
    said = _DENIED.sub("", error.message) if causes else error.message
    if len(causes) < 2:
        return said
    head = said.partition(" is invalid")[0] + " is invalid:"
    lines = [f"  {cause['field']}: {cause.get('message', '')}" for cause in causes[:_CAUSES]]
    more = [f"  and {len(causes) - _CAUSES} more"] if len(causes) > _CAUSES else []
    return "\n".join((head, *lines, *more))


async def get_all(session: Session, kind: Kind, names: list[str]) -> list[Body]:
    """The named objects of the session's namespace, in order."""
    namespace = session.namespace if kind.namespaced else ""
    return [await session.api.get(kind, namespace, name) for name in names]


class _WarningPrinter(RequestObserver):
    """Prints the API server's warnings as kubectl does, each once."""

    def __init__(self) -> None:
        self._printed: set[str] = set()

    def warned(self, warning: str, resource: str) -> None:
        text = warning.partition('"')[2].rpartition('"')[0] or warning
        if text not in self._printed:
            self._printed.add(text)
            note(f"Warning: {text}")
