"""`volumeMounts` and `volumeDevices` of a container."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import descending_path
from shared.violation import Violation

_CLAIMS: Final = ("persistentVolumeClaim", "ephemeral")


def mounts(container: Field, known: Mapping[str, str], taken: Sequence[str]) -> Iterator[Violation]:
    """`known`: sources of the volumes by name; `taken`: mount paths that the Job already uses."""
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
        yield from _mount(mount)
    yield from _devices(devices, known)


def _mount(mount: Field) -> Iterator[Violation]:
    sub, expression, propagation = mount.get("subPath"), mount.get("subPathExpr"), mount.get("mountPropagation")
    for path in (sub, expression):
        yield from path.each(descending_path(path.text))
    if sub.text and expression.text:
        yield expression.invalid("subPathExpr and subPath are mutually exclusive")
    yield from propagation.one_of_given("Bidirectional", "HostToContainer", "None")
    recursive = mount.get("recursiveReadOnly")
    yield from recursive.one_of_given("Disabled", "Enabled", "IfPossible")
    if recursive.text in ("IfPossible", "Enabled"):
        if not mount.get("readOnly").true:
            yield recursive.forbidden("may only be specified when readOnly is true")
        if propagation.present and propagation.text != "None":
            yield recursive.forbidden("may only be specified when mountPropagation is None or not specified")


def _devices(devices: Field, known: Mapping[str, str]) -> Iterator[Violation]:
    names: set[str] = set()
    paths: set[str] = set()
    for device in devices.items:
        name, path = device.get("name"), device.get("devicePath")
        if not name.text:
            yield name.required()
        elif name.text not in known:
            yield name.not_found()
        elif known[name.text] not in _CLAIMS:
            yield name.invalid("can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode")
        if name.text and name.text in names:
            yield name.invalid("must be unique")
        if not path.text:
            yield path.required()
        elif path.text in paths:
            yield path.invalid("must be unique")
        if ".." in path.text.split("/"):
            yield path.invalid("can not contain backsteps ('..')")
        names.add(name.text)
        paths.add(path.text)
