"""Shell completion: names of objects in the cluster, contexts and files. Returns nothing if the cluster is slow."""

import argparse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from cli.exits import CliError, Exit
from cli.files.manifests import ENDINGS
from shared.kinds import JOB, JOBFLOW, JOBTEMPLATE, NAMESPACE, QUEUE, Kind
from shared.model.types import Body

if TYPE_CHECKING:
    from cli.client import Session

KINDS: Final[dict[str, Kind]] = {
    "jobflow": JOBFLOW,
    "job": JOB,
    "jobtemplate": JOBTEMPLATE,
    "queue": QUEUE,
    "namespace": NAMESPACE,
}
_SECONDS: Final = 4.0


def words(kind: str, prefix: str, arguments: argparse.Namespace) -> list[str]:
    """The names that begin with `prefix`; `kind` can be several kinds joined by `|`."""
    return [word for each in kind.split("|") for word in _WAYS.get(each, names)(each, prefix, arguments)]


def names(kind: str, prefix: str, arguments: argparse.Namespace) -> list[str]:
    """The names of the kind's objects in the cluster."""
    return _asked(KINDS[kind], "", arguments, lambda bodies: (_name(body) for body in bodies), prefix)


def _steps(kind: str, prefix: str, arguments: argparse.Namespace) -> list[str]:
    """NAME/ for every flow; after NAME/, NAME/STEP for every step."""
    flow, slash, _ = prefix.partition("/")

    def found(bodies: Iterable[Body]) -> Iterable[str]:
        for body in bodies:
            spec = body.get("spec") or {}
            steps = [step["name"] for field in ("flows", "finally") for step in spec.get(field) or ()]
            yield from (f"{_name(body)}/{step}" for step in (steps if slash else ("",)))

    return _asked(JOBFLOW, f"metadata.name={flow}" if slash else "", arguments, found, prefix)


def _contexts(kind: str, prefix: str, arguments: argparse.Namespace) -> list[str]:
    from shared.kube.client.contexts import contexts

    found, _ = contexts(getattr(arguments, "kubeconfig", ""))
    return [name for name in found if name.startswith(prefix)]


def _files(kind: str, prefix: str, arguments: argparse.Namespace) -> list[str]:
    from argcomplete.completers import FilesCompleter

    endings = [ending.removeprefix(".") for ending in ENDINGS] if kind == "manifest" else ()
    return sorted(FilesCompleter(endings)(prefix))


def _asked(
    kind: Kind,
    selector: str,
    arguments: argparse.Namespace,
    read: Callable[[Iterable[Body]], Iterable[str]],
    prefix: str,
) -> list[str]:
    """The result of a request; nothing if the cluster does not answer, because a shell must not wait or show errors."""
    from cli.client import live
    from shared.kube.client.errors import ApiError

    found: list[str] = []

    async def work(session: "Session") -> int:
        namespace = session.namespace if kind.namespaced else ""
        found.extend(read([body async for body in session.api.list(kind, namespace, field_selector=selector)]))
        return Exit.OK

    try:
        live(arguments, work, patience=_SECONDS)
    except (CliError, ApiError, OSError, ValueError):
        return []
    return [word for word in found if word.startswith(prefix)]


def _name(body: Body) -> str:
    return str(body["metadata"]["name"])


_WAYS: Final[dict[str, Callable[[str, str, argparse.Namespace], list[str]]]] = {
    "step": _steps,
    "context": _contexts,
    "manifest": _files,
    "file": _files,
}
