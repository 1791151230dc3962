"""Numbers: counts, exit codes, and what is read as a number out of a text."""

from collections.abc import Sequence

from jobflow.expressions.cel_value import BoolValue, OrderedValue
from jobflow.expressions.literals import Level, literal, literal_list


class NumberValue(OrderedValue["NumberValue | float"]):
    """An int or, if `real`, a float. Ints become floats where they meet floats, as in Python."""

    __slots__ = ("real",)

    def __init__(self, cel: str, level: Level, steps: frozenset[str], *, real: bool, reference: str = "") -> None:
        super().__init__(cel, level, steps, reference)
        self.real = real

    def __add__(self, other: "NumberValue | float") -> "NumberValue":
        return self._arithmetic("+", Level.SUM, self, other)

    def __radd__(self, other: float) -> "NumberValue":
        return self._arithmetic("+", Level.SUM, other, self)

    def __sub__(self, other: "NumberValue | float") -> "NumberValue":
        return self._arithmetic("-", Level.SUM, self, other)

    def __rsub__(self, other: float) -> "NumberValue":
        return self._arithmetic("-", Level.SUM, other, self)

    def __mul__(self, other: "NumberValue | float") -> "NumberValue":
        return self._arithmetic("*", Level.PRODUCT, self, other)

    def __rmul__(self, other: float) -> "NumberValue":
        return self._arithmetic("*", Level.PRODUCT, other, self)

    def __truediv__(self, other: "NumberValue | float") -> "NumberValue":
        return self._arithmetic("/", Level.PRODUCT, self.as_float(), other)

    def __rtruediv__(self, other: float) -> "NumberValue":
        return self._arithmetic("/", Level.PRODUCT, other, self.as_float())

    def __mod__(self, other: "NumberValue | int") -> "NumberValue":
        """The remainder; of a negative number it is negative, unlike Python's."""
        return self._arithmetic("%", Level.PRODUCT, self, other)

    def __neg__(self) -> "NumberValue":
        return NumberValue(f"-{self._within(Level.PRIMARY)}", Level.UNARY, self.steps, real=self.real)

    def as_float(self) -> "NumberValue":
        return self if self.real else NumberValue(f"double({self.cel})", Level.PRIMARY, self.steps, real=True)

    def as_int(self) -> "NumberValue":
        """Without its fraction."""
        return NumberValue(f"int({self.cel})", Level.PRIMARY, self.steps, real=False) if self.real else self

    def is_in(self, values: Sequence[int]) -> BoolValue:
        return self._relation("in", self._within(Level.SUM), literal_list(values), None)

    def _compare(self, operator: str, other: object) -> BoolValue:
        left, right, _ = _alike(self, _number(self, other))
        return left._relation(operator, left._within(Level.SUM), right._within(Level.SUM), right)

    def _arithmetic(
        self, operator: str, level: Level, left: "NumberValue | float", right: "NumberValue | float"
    ) -> "NumberValue":
        one, other, real = _alike(_number(self, left), _number(self, right))
        closer = Level(level + 1)
        text = f"{one._within(level)} {operator} {other._within(closer)}"
        return NumberValue(text, level, one.steps | other.steps, real=real)


def _number(near: NumberValue, value: object) -> NumberValue:
    if isinstance(value, NumberValue):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = "; write .as_int() or .as_float() behind it" if isinstance(value, OrderedValue) else ""
        raise TypeError(f"`{near.cel}` is a number, but {value!r} is not{hint}")
    level = Level.PRIMARY if value >= 0 else Level.UNARY
    return NumberValue(literal(value), level, frozenset(), real=isinstance(value, float))


def _alike(left: NumberValue, right: NumberValue) -> tuple[NumberValue, NumberValue, bool]:
    """Both as floats if one of them is; a literal is written as one."""
    real = left.real or right.real
    return (_real(left), _real(right), True) if real else (left, right, False)


def _real(value: NumberValue) -> NumberValue:
    if not value.real and value.cel.lstrip("-").isdigit():
        return NumberValue(f"{value.cel}.0", value.level, value.steps, real=True)
    return value.as_float()
