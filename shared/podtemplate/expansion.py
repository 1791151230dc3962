"""The fields of a pod template in which Kubernetes expands `$(NAME)` and `$$`, and how data is put into them unchanged.

Params, items and outputs are data: a container must get them byte for byte. In most fields they are inserted as they are.
In the fields listed here a kubelet would read a `$` in them again, so it has to be written `$$`. A value may be moved
from one field to another before the Job is complete, so data is only marked where it is inserted, and the marks are
resolved once, in the finished Job, where the position of every string is known.

The marks are two lone surrogates. No string that an API server has stored contains these.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.substitution import substitute

_BEGIN: Final = "\udc00"
_END: Final = "\udc01"
_MARKS: Final = str.maketrans("", "", _BEGIN + _END)
_NOT_DATA: Final = str.maketrans({_BEGIN: "\ufffd", _END: "\ufffd"})
_DATA: Final = re.compile(f"{_BEGIN}([^{_END}]*){_END}", re.DOTALL)
# What a kubelet reads at a `$`, from left to right: an escaped one, a reference, or a reference that is never closed.
_READ: Final = re.compile(r"\$\$|\$\([^)]*\)|(?P<open>\$\()")

Shape = Any
"""Where strings are expanded below a value: TEXT for a string that is, a list of one shape, or shapes by key; the shape
at ANY is that of all other keys. PODS: in the pod templates that are found below."""

TEXT: Final = "text"
PODS: Final = "pods"
ANY: Final = "*"
_COMMAND: Final[Shape] = [TEXT]
_PROBE: Final[Shape] = {"exec": {"command": _COMMAND}}
CONTAINER: Final[Shape] = {
    "command": _COMMAND,
    "args": _COMMAND,
    "env": [{"value": TEXT}],
    "volumeMounts": [{"subPathExpr": TEXT}],
    "livenessProbe": _PROBE,
    "readinessProbe": _PROBE,
    "startupProbe": _PROBE,
}
POD_TEMPLATE: Final[Shape] = {
    "spec": {"containers": [CONTAINER], "initContainers": [CONTAINER], "ephemeralContainers": [CONTAINER]}
}
"""A pod template. Commands of lifecycle hooks are not expanded."""

JOB_SPEC: Final[Shape] = {"tasks": [{"template": POD_TEMPLATE}]}


class OpenReferenceError(Exception):
    """Data stands inside a `$(` of the text around it, so that it would choose what Kubernetes puts there. `path`: of
    the string."""

    def __init__(self, path: str) -> None:
        super().__init__(OPEN_REFERENCE)
        self.path = path


OPEN_REFERENCE: Final = (
    "a placeholder stands inside an open `$(`, which Kubernetes reads as a variable's name; "
    "write `$$(` for a `$(` that a shell is to see"
)


def as_data(value: Any) -> Any:
    """A JSON value whose strings are marked as data."""
    if isinstance(value, str):
        return f"{_BEGIN}{value.translate(_NOT_DATA)}{_END}"
    if isinstance(value, Mapping):
        return {key: as_data(value[key]) for key in sorted(value)}  # maps of CEL come in any order
    if isinstance(value, list | tuple):
        return [as_data(item) for item in value]
    return value


def without_marks(value: Any) -> Any:
    """The JSON value with its data as it is."""
    return _resolved(value, None, "")


def resolve(value: Any, shape: Shape, path: str = "") -> Any:
    """The JSON value with its data as it is, but `$` of data as `$$` in the fields that `shape` names.

    `path`: the path of the value, for messages. Raises OpenReferenceError.
    """
    return _resolved(value, shape, path) if _has_data(value) else value


def _has_data(value: Any) -> bool:
    if isinstance(value, str):
        return _BEGIN in value
    if isinstance(value, dict):
        return any(map(_has_data, value.values()))
    return isinstance(value, list) and any(map(_has_data, value))


def expanded_texts(value: Any, shape: Shape, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, text) of every string below `value` that Kubernetes expands."""
    shape = _found(value, shape)
    if shape == TEXT:
        if isinstance(value, str):
            yield path, value
    elif isinstance(shape, list) and isinstance(value, list):
        for number, item in enumerate(value):
            yield from expanded_texts(item, shape[0], f"{path}[{number}]")
    elif isinstance(shape, dict) and isinstance(value, dict):
        for key, item in value.items():
            if below := shape.get(key, shape.get(ANY)):
                yield from expanded_texts(item, below, f"{path}.{key}" if path else key)


def at_pointer(pointer: str, value: Any) -> Any:
    """A JSON value that holds `value` at a JSON pointer and nothing else; lists get one entry."""
    for part in reversed(pointer.split("/")[1:]):
        key = part.replace("~1", "/").replace("~0", "~")
        value = [value] if key == "-" or key.isdigit() else {key: value}
    return value


def open_placeholders(value: Any, shape: Shape, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, text) of the strings in which one of our placeholders stands inside an open `$(` that Kubernetes reads."""
    for place, text in expanded_texts(value, shape, path):
        if data_in_open_reference(substitute(text, lambda _: as_data("")).value):
            yield place, text


def data_in_open_reference(text: str) -> bool:
    """Whether marked data stands inside an open `$(` of the text around it."""
    literals = _DATA.split(text)[:-1:2]
    return any(found["open"] for literal in literals for found in _READ.finditer(literal))


def _resolved(value: Any, shape: Shape, path: str) -> Any:
    if isinstance(value, str):
        if _BEGIN not in value:
            return value
        return _escaped(value, path) if shape == TEXT else value.translate(_MARKS)
    shape = _found(value, shape)
    if isinstance(value, dict):
        shapes = shape if isinstance(shape, dict) else {}
        others = shapes.get(ANY)
        return {
            key: _resolved(item, shapes.get(key, others), f"{path}.{key}" if path else key)
            for key, item in value.items()
        }
    if isinstance(value, list):
        below = shape[0] if isinstance(shape, list) else None
        return [_resolved(item, below, f"{path}[{number}]") for number, item in enumerate(value)]
    return value


def _found(value: Any, shape: Shape) -> Shape:
    """PODS one level further down; any other shape as it is."""
    if shape != PODS:
        return shape
    if isinstance(value, list):
        return [PODS]
    return {**POD_TEMPLATE, ANY: PODS} if _is_pod_template(value) else {ANY: PODS}


def _is_pod_template(value: Any) -> bool:
    spec = value.get("spec") if isinstance(value, dict) else None
    return isinstance(spec, dict) and any(isinstance(spec.get(key), list) for key in ("containers", "initContainers"))


def _escaped(text: str, path: str) -> str:
    if data_in_open_reference(text):
        raise OpenReferenceError(path)
    parts = _DATA.split(text)  # literal, data, literal, ...
    return "".join(part.replace("$", "$$") if number % 2 else part for number, part in enumerate(parts))
