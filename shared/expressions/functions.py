"""Functions of expressions that are written in Python: range, parseJSON, quantity.

The library (0.1.3) never releases the arguments and the result of such a function. To keep this leak small, results are
returned in containers that are reused, common quantities are computed without Python (`syntax.rewrite`), and policies
have no parseJSON, because other users choose its arguments there. One small object per call remains.
"""

from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final

import orjson
from cel_expr_python import cel

from shared import quantity as quantities

MAX_RANGE: Final = 10_000

longest_range: ContextVar[int] = ContextVar("longest_range", default=MAX_RANGE)
"""The longest range() within the cost bound of the expression that is being evaluated."""

_RANGE: Final[list[int]] = []
_SHORT: Final = 64  # longer texts are not real quantities and would only fill the cache
_PARSED_LIST: Final[list[Any]] = []
_PARSED_MAP: Final[dict[Any, Any]] = {}


def _range(end: int) -> list[int]:
    most = min(longest_range.get(), MAX_RANGE)
    if end > most:
        raise ValueError(f"range({end}): at most {most} numbers" + ("" if most == MAX_RANGE else " in this expression"))
    _RANGE[:] = range(end)
    return _RANGE


def _parse_json(text: str) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"parseJSON: not JSON: {error}") from None
    if isinstance(value, list):
        _PARSED_LIST[:] = value
        return _PARSED_LIST
    if isinstance(value, dict):
        _PARSED_MAP.clear()
        _PARSED_MAP.update(value)
        return _PARSED_MAP
    return value


def _quantity(text: str | float) -> float:
    if not isinstance(text, str):
        return float(text)
    if len(text) > _SHORT:
        raise ValueError(f"quantity({text[:40]!r}...): more than {_SHORT} characters")
    return _short_quantity(text)


@lru_cache(maxsize=4096)
def _short_quantity(text: str) -> float:
    return _quantity_of(text)


def _quantity_of(text: str) -> float:
    try:
        return quantities.quantity(text).nanos / quantities.NANO
    except quantities.QuantityError as error:
        raise ValueError(f"quantity({text[:40]!r}): {error}") from None


def _one(name: str, overload: str, takes: Any, gives: Any, call: Any) -> Any:
    return cel.FunctionDecl(name, [cel.Overload(overload, return_type=gives, parameters=[takes], impl=call)])


QUANTITY: Final = cel.FunctionDecl(
    "quantity",
    [
        cel.Overload(f"quantity_{name}", return_type=cel.Type.DOUBLE, parameters=[kind], impl=_quantity)
        for name, kind in (("string", cel.Type.STRING), ("int", cel.Type.INT), ("double", cel.Type.DOUBLE))
    ],
)
RANGE: Final = _one("range", "range_int", cel.Type.INT, cel.Type.List(cel.Type.INT), _range)
PARSE_JSON: Final = _one("parseJSON", "parse_json_string", cel.Type.STRING, cel.Type.DYN, _parse_json)
