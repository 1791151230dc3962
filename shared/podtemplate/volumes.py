"""Volumes of the pod, and the volume mounts of its containers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from shared.podtemplate.amounts import size_limit
from shared.podtemplate.field import Field
from shared.podtemplate.formats import descending_path, dns_label, file_mode, item_path
from shared.podtemplate.schema import volume_sources
from shared.violation import Violation

_HOST_PATH_TYPES: Final = (
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
# The field in which each type of volume names its source.
_NAMED_BY: Final = {"secret": "secretName", "configMap": "name", "persistentVolumeClaim": "claimName"}


def volumes(field: Field) -> Iterator[Violation]:
    """Names must be unique labels. Each volume has at most one source; without one it is an emptyDir."""
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


def volume_names(field: Field) -> frozenset[str]:
    return frozenset(volume.get("name").text for volume in field.items)


def mounts(container: Field, known: frozenset[str], taken: Sequence[str]) -> Iterator[Violation]:
    """`known`: names of volumes that may be mounted; `taken`: mount paths that the Job already uses."""
    devices = container.get("volumeDevices")
    device_names = {device.get("name").text for device in devices.items}
    device_paths = {device.get("devicePath").text for device in devices.items}
    paths = set(taken)
    for mount in container.get("volumeMounts").items:
        name, path = mount.get("name"), mount.get("mountPath")
        if not name.text:
            yield name.required()
        elif name.text not in known:
            yield name.not_found()
        if not path.text:
            yield path.required()
        elif path.text in paths:
            yield path.invalid("must be unique")
        paths.add(path.text)
        if name.text in device_names:
            yield name.invalid("must not already exist in volumeDevices")
        if path.text in device_paths:
            yield path.invalid("must not already exist as a path in volumeDevices")
        yield from _inside(mount)
    for device in devices.items:
        if device.get("name").text and device.get("name").text not in known:
            yield device.get("name").not_found()


def _inside(mount: Field) -> Iterator[Violation]:
    sub, expression, propagation = mount.get("subPath"), mount.get("subPathExpr"), mount.get("mountPropagation")
    for path in (sub, expression):
        yield from path.each(descending_path(path.text))
    if sub.text and expression.text:
        yield expression.invalid("subPathExpr and subPath are mutually exclusive")
    yield from propagation.one_of("Bidirectional", "HostToContainer", "None")
    recursive = mount.get("recursiveReadOnly")
    yield from recursive.one_of("Disabled", "Enabled", "IfPossible")
    if recursive.text in ("IfPossible", "Enabled") and not mount.get("readOnly").true:
        yield recursive.forbidden("may only be specified when readOnly is true")


def _source(volume: Field) -> Iterator[Violation]:
    kinds = volume_sources()
    given = [name for name in volume.value if name in kinds and volume.value[name] is not None] if volume.keys else []
    for extra in given[1:]:
        yield volume.get(extra).forbidden("may not specify more than 1 volume type")
    for kind in given[:1]:
        source = volume.get(kind)
        if isinstance(source.value, Mapping):
            yield from _content(kind, source)


def _content(kind: str, source: Field) -> Iterator[Violation]:
    named = _NAMED_BY.get(kind)
    if named and source.get(named).value in (None, ""):
        yield source.get(named).required()
    yield from source.get("defaultMode").each(file_mode(source.get("defaultMode").number or 0))
    if kind in ("secret", "configMap"):
        yield from _items(source)
    elif kind == "projected":
        for part in source.get("sources").items:
            yield from _items(part.get("secret"))
            yield from _items(part.get("configMap"))
    elif kind == "hostPath":
        yield from source.get("type").one_of(*_HOST_PATH_TYPES)
        if ".." in source.get("path").text.split("/"):
            yield source.get("path").invalid("must not contain '..'")
    elif kind == "nfs" and not source.get("path").text.startswith("/"):
        yield source.get("path").invalid("must be an absolute path")
    elif kind == "emptyDir":
        yield from size_limit(source.get("sizeLimit"))


def _items(source: Field) -> Iterator[Violation]:
    for item in source.get("items").items:
        for part in ("key", "path"):
            if not item.get(part).text:
                yield item.get(part).required()
        yield from item.get("path").each(item_path(item.get("path").text))
        yield from item.get("mode").each(file_mode(item.get("mode").number or 0))
