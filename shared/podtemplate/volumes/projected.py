"""Sources of `projected` volumes. Two sources must not write the same file.

Sources that need a feature gate (clusterTrustBundle, podCertificate) are left to the API server, which drops them without it.
"""

from collections.abc import Iterator
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import item_path
from shared.podtemplate.volumes.items import downward_items, key_items
from shared.violation import Violation

_SHORTEST_TOKEN: Final = 600
_LONGEST_TOKEN: Final = 2**32


def projections(volume: Field) -> Iterator[Violation]:
    taken: set[str] = set()
    for source in volume.get("sources").items:
        kinds = [name for name in _CHECKS if source.get(name).present]
        for kind in kinds:
            yield from _CHECKS[kind](source.get(kind))
            for path in _paths(source.get(kind)):
                if path.text in taken:
                    yield path.invalid("conflicting duplicate paths")
                taken.add(path.text)
        if len(kinds) > 1:
            yield source.forbidden("may not specify more than 1 volume type per source")


def _paths(source: Field) -> Iterator[Field]:
    """The files that a source writes."""
    yield from (item.get("path") for item in source.get("items").items if item.get("path").text)


def _keys(source: Field) -> Iterator[Violation]:
    if not source.get("name").text:
        yield source.get("name").required()
    yield from key_items(source)


def _token(source: Field) -> Iterator[Violation]:
    seconds, path = source.get("expirationSeconds"), source.get("path")
    if seconds.number is not None and seconds.number < _SHORTEST_TOKEN:
        yield seconds.invalid("may not specify a duration less than 10 minutes")
    if seconds.number is not None and seconds.number > _LONGEST_TOKEN:
        yield seconds.invalid("may not specify a duration larger than 2^32 seconds")
    if not path.text:
        yield path.required()
    yield from path.each(item_path(path.text))


_CHECKS: Final = {
    "secret": _keys,
    "configMap": _keys,
    "downwardAPI": downward_items,
    "serviceAccountToken": _token,
}
