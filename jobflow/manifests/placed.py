"""A Kubernetes object whose fields are linked to the Python that wrote them."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from jobflow.manifests.spots import Spot
from shared.model.types import Body
from webhook.lint.places import Place, parts


class Origin(msgspec.Struct, frozen=True):
    """`spot`: the call that wrote a field; `argument`: see Spot.argument, "" for the call as a whole; `key`: of the
    argument's dict, where the manifest has a list instead."""

    spot: Spot
    argument: str = ""
    key: str = ""


Origins = dict[str, Origin]
"""By the path of the field."""


def below(prefix: str, origins: Mapping[str, Origin]) -> Origins:
    """The origins of a part of an object, for the whole object."""
    return {join(prefix, path): origin for path, origin in origins.items()}


def join(prefix: str, path: str) -> str:
    if not prefix or not path or path.startswith("["):
        return f"{prefix}{path}"
    return f"{prefix}.{path}"


class PlacedManifest(msgspec.Struct, frozen=True):
    """One object, to be applied, linted or simulated. `origins`: "" is that of the whole object."""

    body: Body
    origins: Mapping[str, Origin]

    @property
    def file(self) -> str:
        return self.origins[""].spot.file

    @property
    def kind(self) -> str:
        return str(self.body["kind"])

    @property
    def name(self) -> str:
        metadata = self.body["metadata"]
        return str(metadata.get("name") or metadata.get("generateName") or "")

    def place(self, path: str) -> Place:
        file, line = self.written_at(path)
        return Place(line, _COLUMN, file)

    def written_at(self, path: str) -> tuple[str, int]:
        """(file, line) of the Python that wrote the field, or the nearest thing around it."""
        prefix = next(each for each in _prefixes(path) if each in self.origins)
        origin = self.origins[prefix]
        if not origin.argument:
            return origin.spot.file, origin.spot.line
        inside = (origin.key,) if origin.key else tuple(parts(path[len(prefix) :]))
        return origin.spot.file, origin.spot.argument(origin.argument, inside)


def by_key(path: str, argument: str, keys: Iterable[str], spot: Spot) -> Origins:
    """The origins of the entries of a list that was given as a dict."""
    return {f"{path}[{place}]": Origin(spot, argument, key) for place, key in enumerate(keys)}


_COLUMN: Final = 1
_ENDS: Final = ".["


def _prefixes(path: str) -> Iterable[str]:
    """The path, and every path around it, innermost first."""
    yield path
    for end in range(len(path) - 1, 0, -1):
        if path[end] in _ENDS:
            yield path[:end]
    if path:
        yield ""
