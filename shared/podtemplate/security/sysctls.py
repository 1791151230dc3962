"""`sysctls` of a pod."""

import re
from collections.abc import Iterator
from typing import Final

from shared.podtemplate.field import Field
from shared.violation import Violation

_LONGEST: Final = 253
_SEGMENT: Final = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_NAME: Final = rf"^({_SEGMENT}[\./])*{_SEGMENT}$"
_PATTERN: Final = re.compile(rf"({_SEGMENT}[./])*{_SEGMENT}", re.ASCII)
_IPC: Final = ("kernel.msg", "kernel.sem", "kernel.shm", "fs.mqueue.")
_NETWORK: Final = ("net.",)


def sysctls(field: Field, spec: Field) -> Iterator[Violation]:
    """Names are well-formed and unique, and not of a namespace that the pod shares with the host."""
    seen: set[str] = set()
    for entry in field.items:
        name = entry.get("name")
        if not name.text:
            yield name.required()
        elif len(name.text) > _LONGEST or not _PATTERN.fullmatch(name.text):
            yield name.invalid(f"must have at most {_LONGEST} characters and match regex {_NAME}")
        elif name.text in seen:
            yield name.duplicate()
        seen.add(name.text)
        dotted = _dotted(name.text)
        for host, prefixes in (("hostNetwork", _NETWORK), ("hostIPC", _IPC)):
            if spec.get(host).true and dotted.startswith(prefixes):
                yield name.invalid(f"may not be specified when '{host}' is true")


def _dotted(name: str) -> str:
    """The name with dots, if its first separator is a slash."""
    first = re.search("[./]", name)
    if first is None or first[0] == ".":
        return name
    return name.translate(str.maketrans("./", "/."))
