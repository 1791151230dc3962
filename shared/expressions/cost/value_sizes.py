"""The largest sizes of the variables and fields in expressions, for the static cost bound."""

from typing import Final

import msgspec

from shared.expressions.scope import ScopeKind
from shared.names import MAX_FLOW_OUTPUT_BYTES, MAX_ITERATIONS, MAX_NAME

SLOT: Final = 32
"""Bytes that the library uses for one element of a list or map, besides its content."""


class InputLimits(msgspec.Struct, frozen=True):
    """The inputs for which a bound holds. `bytes`: of one text (policies: of one object); `items`: of one list."""

    bytes: int
    items: int


class Size(msgspec.Struct, frozen=True):
    """`bytes`: at most, with everything inside; `items`: at most, in any single list or map inside."""

    bytes: int
    items: int = 0


class Cost(msgspec.Struct, frozen=True):
    """The size of the result, and nanoseconds besides those for the node itself and the bytes of its result."""

    size: Size
    time: int = 0


SCALAR: Final = Size(8)
NAME: Final = Size(MAX_NAME)
_REASON: Final = Size(256)
_STATUS_BYTES: Final = 256  # phase, reason and counts of one iteration


def variable(kind: ScopeKind, name: str, limits: InputLimits) -> Size:
    """The size of a whole variable."""
    if kind is ScopeKind.POLICY:
        return Size(limits.bytes, min(limits.items, limits.bytes // 4))
    if kind is ScopeKind.SCHEDULE:
        return Size(limits.bytes, 8)
    if name == "item":
        return Size(64 * limits.bytes, min(limits.items, 16 * limits.bytes))
    if name == "params":
        return Size(64 * limits.bytes, 64)
    return SCALAR if name == "index" else _whole_step(limits)


def field(message: str, name: str, limits: InputLimits) -> Size:
    """The size of a field of Step, Pods, Attempt or Flow."""
    if message == "Step":
        if name == "iterations":
            return _iterations(limits)
        return {"outputs": Size(16 * limits.bytes, 64), "phase": NAME, "reason": _REASON}.get(name, SCALAR)
    if message == "Flow":
        texts = Size(64 * limits.bytes, 1000)
        return {"labels": texts, "annotations": texts, "name": NAME, "namespace": NAME, "outcome": NAME}[name]
    if message == "Attempt":
        return {"message": Size(limits.bytes), "phase": NAME, "reason": _REASON}.get(name, SCALAR)
    return SCALAR


def entry(map_of: str, limits: InputLimits) -> Size | None:
    """The size of one value in `params`, `outputs`, `labels` or `annotations`; None for any other map."""
    return {
        "params": Size(limits.bytes),
        "outputs": Size(limits.bytes),
        "labels": NAME,
        "annotations": Size(64 * limits.bytes),
    }.get(map_of)


def _whole_step(limits: InputLimits) -> Size:
    iterations = _iterations(limits)
    return Size(iterations.bytes + 16 * limits.bytes + _STATUS_BYTES, 0)


def _iterations(limits: InputLimits) -> Size:
    count = min(MAX_ITERATIONS, limits.items)
    outputs = min(MAX_FLOW_OUTPUT_BYTES, count * limits.bytes)
    return Size(outputs + count * (_STATUS_BYTES + SLOT), count)
