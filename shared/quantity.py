"""Kubernetes quantities such as `500m`, `1.5Gi` and `2e3`, as exact integers of nano-units.

Grammar, rounding, texts and errors are those of apimachinery's resource.Quantity: amounts below one nano are rounded away
from zero, and the printed form is canonical (the largest suffix that leaves a whole number).
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import msgspec

NANO: Final = 10**9


class Format(StrEnum):
    """The family of suffixes in which a quantity was written and is printed."""

    DECIMAL_SI = "DecimalSI"
    BINARY_SI = "BinarySI"
    DECIMAL_EXPONENT = "DecimalExponent"


class QuantityError(ValueError):
    """The text is not a quantity. The message is Kubernetes' own."""


WRONG_FORMAT: Final = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
WRONG_NUMBER: Final = "unable to parse numeric part of quantity"
WRONG_SUFFIX: Final = "unable to parse quantity's suffix"

_SPLIT: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII)
_EXPONENT: Final = re.compile(r"[eE][+-]?[0-9]{1,9}", re.ASCII)
_BINARY: Final = {suffix: 10 * power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_DECIMAL: Final = {
    suffix: 3 * power for power, suffix in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)
}
_DECIMAL_NAMES: Final = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_NAMES: Final = {power: suffix for suffix, power in _BINARY.items()} | {0: ""}
_LARGEST_BINARY: Final = (2**63 - 1) * NANO
# Far above any real amount. Without a bound, a short text such as 1e1000000 would take unbounded memory.
_MAX_DIGITS: Final = 400
_MAX_EXPONENT: Final = 100


class Quantity(msgspec.Struct, frozen=True):
    """An exact amount in nano-units. Compare, add and multiply `nanos`; `str()` is the canonical text."""

    nanos: int
    format: Format = Format.DECIMAL_SI

    def __add__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nanos + other.nanos, self.format if self.nanos else other.format)

    def __sub__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nanos - other.nanos, self.format if self.nanos else other.format)

    def __neg__(self) -> "Quantity":
        return Quantity(-self.nanos, self.format)

    def __mul__(self, times: int) -> "Quantity":
        return Quantity(self.nanos * times, self.format)

    def __lt__(self, other: "Quantity") -> bool:
        return self.nanos < other.nanos

    def __le__(self, other: "Quantity") -> bool:
        return self.nanos <= other.nanos

    def __bool__(self) -> bool:
        return self.nanos != 0

    @property
    def value(self) -> int:
        """Whole units, rounded away from zero, as Quantity.Value()."""
        return _divide_up(self.nanos, NANO)

    @property
    def milli(self) -> int:
        """Thousandths, rounded away from zero, as Quantity.MilliValue()."""
        return _divide_up(self.nanos, NANO // 1000)

    @property
    def is_integer(self) -> bool:
        return self.nanos % NANO == 0

    def __str__(self) -> str:
        if self.format is Format.BINARY_SI and abs(self.nanos) >= 1024 * NANO:
            return _print(self.value, 1024, 10, _BINARY_NAMES)
        digits, exponent = _reduce(self.nanos, 1000, 3, most=27)
        exponent -= 9
        if self.format is Format.DECIMAL_EXPONENT or exponent not in _DECIMAL_NAMES:
            return f"{digits}e{exponent}" if exponent else str(digits)
        return f"{digits}{_DECIMAL_NAMES[exponent]}"


def _print(value: int, base: int, step: int, names: dict[int, str]) -> str:
    digits, power = _reduce(value, base, step, most=max(names))
    return f"{digits}{names[power]}"


def _reduce(value: int, base: int, step: int, most: int) -> tuple[int, int]:
    power = 0
    while value and value % base == 0 and power < most:
        value, power = value // base, power + step
    return value, power if value else (9 if base == 1000 else 0)


def _divide_up(value: int, by: int) -> int:
    return -(-value // by) if value >= 0 else value // by


ZERO: Final = Quantity(0)


def quantity(raw: Any) -> Quantity:
    """The quantity in a JSON string or number. None is zero, as Kubernetes decodes null.

    Raises QuantityError, also for exponents above 100 and numbers of more than 400 digits.
    """
    if raw is None:
        return ZERO
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise QuantityError(WRONG_FORMAT)
    return _parse(raw if isinstance(raw, str) else repr(raw))


def fault(raw: Any) -> str | None:
    """Kubernetes' error message if `raw` is not a quantity, else None."""
    try:
        quantity(raw)
    except QuantityError as error:
        return str(error)
    return None


@lru_cache(maxsize=512)  # the same few quantities stand in most pods
def _parse(text: str) -> Quantity:
    match = _SPLIT.fullmatch(text) if text else None
    if match is None:
        raise QuantityError(WRONG_FORMAT)
    sign, whole, part, suffix = match[1], match[2], match[3] or "", match[4]
    base, exponent, form = _suffix(suffix)
    if len(whole) + len(part) > _MAX_DIGITS or exponent > _MAX_EXPONENT or (exponent >= 50 and not whole + part):
        raise QuantityError(WRONG_NUMBER)
    nanos = _nanos(int(whole + part or "0"), len(part), base, exponent)
    if form is Format.BINARY_SI:
        nanos = min(nanos, _LARGEST_BINARY)
        form = Format.DECIMAL_SI if 0 < nanos < NANO else form
    return Quantity(-nanos if sign == "-" else nanos, form)


def _nanos(digits: int, places: int, base: int, exponent: int) -> int:
    if base == 2:
        return _divide_up(digits * 2**exponent * NANO, 10**places)
    shift = exponent - places + 9
    if shift >= 0:
        return digits * int(10**shift)
    return 1 if digits and -shift > 2 * _MAX_DIGITS else _divide_up(digits, 10 ** min(-shift, 2 * _MAX_DIGITS))


def _suffix(suffix: str) -> tuple[int, int, Format]:
    if suffix in _BINARY:
        return 2, _BINARY[suffix], Format.BINARY_SI
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix], Format.DECIMAL_SI
    if _EXPONENT.fullmatch(suffix):
        return 10, int(suffix[1:]), Format.DECIMAL_EXPONENT
    raise QuantityError(WRONG_SUFFIX)
