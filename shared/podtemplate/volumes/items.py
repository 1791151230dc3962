"""Files in volumes: keys of ConfigMaps and Secrets, and fields of the pod (downward API)."""

from collections.abc import Iterator

from shared.podtemplate.environment import field_ref, resource_ref
from shared.podtemplate.field import Field
from shared.podtemplate.formats import file_mode, item_path
from shared.violation import Violation

_FIELDS = ("metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid")


def key_items(source: Field) -> Iterator[Violation]:
    for item in source.get("items").items:
        for part in ("key", "path"):
            if not item.get(part).text:
                yield item.get(part).required()
        yield from item.get("path").each(item_path(item.get("path").text))
        yield from mode(item.get("mode"))


def downward_items(source: Field) -> Iterator[Violation]:
    for item in source.get("items").items:
        path, field, resource = item.get("path"), item.get("fieldRef"), item.get("resourceFieldRef")
        if not path.text:
            yield path.required()
        yield from path.each(item_path(path.text))
        if field.present:
            yield from field_ref(field, _FIELDS)
            if resource.present:
                yield item.invalid("fieldRef and resourceFieldRef can not be specified simultaneously")
        elif resource.present:
            yield from resource_ref(resource, of_volume=True)
        else:
            yield item.required("one of fieldRef and resourceFieldRef is required")
        yield from mode(item.get("mode"))


def mode(field: Field) -> Iterator[Violation]:
    yield from field.each(file_mode(field.number or 0))
