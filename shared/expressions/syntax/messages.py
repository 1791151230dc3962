"""Builds protobuf messages from tables, without generated code. The CEL library exchanges types and syntax trees as
protobuf messages."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from google.protobuf import descriptor_pool

# Field types by name; any other name is a message of the same file. `[]` repeats; `{K:V}` is a map.
_SCALARS: Final = {
    "double": 1,
    "int64": 3,
    "uint64": 4,
    "int32": 5,
    "bool": 8,
    "string": 9,
    "bytes": 12,
}
_MESSAGE: Final = 11
_OPTIONAL: Final = 1
_REPEATED: Final = 3

Fields = Mapping[str, tuple[int, str]]
"""Field name -> (number, type), e.g. `{"phase": (1, "string"), "outputs": (2, "{string:string}")}`."""


def build(
    package: str, messages: Mapping[str, Fields], syntax: str = "proto3"
) -> tuple["descriptor_pool.DescriptorPool", dict[str, Any]]:
    """A separate descriptor pool with these messages, and their Python classes by name.

    proto2 distinguishes an absent field from a zero; proto3 does not.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax=syntax)
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            _add_field(message, package, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    classes = {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in messages
    }
    return pool, classes


def _add_field(message: Any, package: str, name: str, number: int, kind: str) -> None:
    if kind.startswith("{"):
        entry = message.nested_type.add(name="".join(part.capitalize() for part in name.split("_")) + "Entry")
        entry.options.map_entry = True
        key, value = kind[1:-1].split(":")
        _add_field(entry, package, "key", 1, key)
        _add_field(entry, package, "value", 2, value)
        full = f".{package}.{message.name}.{entry.name}"
        message.field.add(name=name, number=number, label=_REPEATED, type=_MESSAGE, type_name=full)
        return
    label = _REPEATED if kind.endswith("[]") else _OPTIONAL
    base = kind.removesuffix("[]")
    if base in _SCALARS:
        message.field.add(name=name, number=number, label=label, type=_SCALARS[base])
    else:
        message.field.add(name=name, number=number, label=label, type=_MESSAGE, type_name=f".{package}.{base}")
