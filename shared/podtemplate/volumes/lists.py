"""The list of volumes: names are unique labels, and each volume has at most one source; without one it is an emptyDir."""

from collections.abc import Iterator, Mapping

from shared.podtemplate.field import Field
from shared.podtemplate.formats import dns_label
from shared.podtemplate.schema import volume_sources
from shared.podtemplate.volumes.sources import source_fields
from shared.violation import Violation


def volumes(field: Field) -> Iterator[Violation]:
    names: set[str] = set()
    for volume in field.items:
        name = volume.get("name")
        if not name.text:
            yield name.required()
        else:
            yield from name.each(dns_label(name.text))
        if name.text and name.text in names:
            yield name.duplicate()
        names.add(name.text)
        yield from _source(volume)


def volume_names(field: Field) -> dict[str, str]:
    """The source of each volume by its name; 'emptyDir' for a volume without a source."""
    return {volume.get("name").text: next(iter(_given(volume)), "emptyDir") for volume in field.items}


def _source(volume: Field) -> Iterator[Violation]:
    given = _given(volume)
    for extra in given[1:]:
        yield volume.get(extra).forbidden("may not specify more than 1 volume type")
    for kind in given[:1]:
        source = volume.get(kind)
        if isinstance(source.value, Mapping):
            yield from source_fields(kind, source, volume.get("name"))


def _given(volume: Field) -> list[str]:
    kinds = volume_sources()
    return [name for name in volume.value if name in kinds and volume.value[name] is not None] if volume.keys else []
