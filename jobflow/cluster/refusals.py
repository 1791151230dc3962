"""What the API server refused, at the lines of Python that wrote it."""

import re
from collections.abc import Iterator
from typing import Final

from jobflow.faults import FlowError, LintFault
from jobflow.manifests.placed import PlacedManifest
from shared.kube.client.errors import ApiError

_UNKNOWN: Final = re.compile(r'unknown field "([^"]+)"')  # of a create that is strict
_UNDECLARED: Final = re.compile(r"(?:^|[\s;:{])\.(\S+): field not declared in schema")  # of a server-side apply
_LACKED: Final = (
    "the CustomResourceDefinition in this cluster lacks the field and would drop it: check its spelling; an older version of "
    "JobFlow, and Volcano's own definitions, lack fields, so install those of this version"
)


def placed(error: ApiError, manifest: PlacedManifest) -> Exception:
    """A FlowError with the faults that the API server names, at their lines; the error itself where it names none."""
    faults = [_fault(manifest, path, said) for path, said in _named(error)]
    return FlowError(faults) if faults else error


def _named(error: ApiError) -> Iterator[tuple[str, str]]:
    """(path, message) of each fault."""
    for pattern in (_UNKNOWN, _UNDECLARED):
        yield from ((path, _LACKED) for path in dict.fromkeys(pattern.findall(error.message)))
    for cause in error.causes:
        if not _UNKNOWN.search(str(cause.get("message"))):
            yield str(cause.get("field") or ""), str(cause.get("message") or "")


def _fault(manifest: PlacedManifest, path: str, said: str) -> LintFault:
    file, line = manifest.written_at(path)
    return LintFault(file, line, f"{manifest.kind} {manifest.name}", path, said)
