"""The values: texts, numbers, conditions, JSON and lists. None of them is known before the flow runs.

An operator gives another value, whose `cel` is the text of the whole expression. What Python would evaluate at once
(`and`, `or`, `not`, `in`, chained comparisons, `if`) raises a TypeError that names what to write instead.
"""

from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from jobflow.expressions.literals import Level, literal, literal_list, member

_BOOL: Final = (
    "this value is known only in the cluster, so Python cannot decide with it. In expressions write & for `and`, | for "
    "`or` and ~ for `not`, each comparison in parentheses: (a < 1) & ~(b == 'x'); x.is_in([...]) for `in`; "
    "(x > 0) & (x < 1) for 0 < x < 1; step.when(...) for `if`"
)


class CelValue:
    """`cel`: the expression; `steps`: names of the steps it reads; `reference`: its `$(...)`, "" if it has none."""

    __slots__ = ("cel", "level", "reference", "steps")
    __hash__ = object.__hash__
    __iter__: None = None  # without it Python would try indexes 0, 1, 2, ... without end

    def __init__(
        self, cel: str, level: Level = Level.PRIMARY, steps: frozenset[str] = frozenset(), reference: str = ""
    ) -> None:
        self.cel = cel
        self.level = level
        self.steps = steps
        self.reference = reference

    def __bool__(self) -> NoReturn:
        raise TypeError(_BOOL)

    def __contains__(self, value: object) -> NoReturn:
        raise TypeError("`in` cannot wait for the cluster: write value.contains(...) or value.is_in([...])")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.cel}>"

    def __str__(self) -> str:
        if self.reference:
            return self.reference
        raise TypeError(
            f"`{self.cel}` cannot stand in a string: only params, outputs, item, index and the names of flow and step "
            "can. Conditions take it: step.when(...), loop(while_=...), Switch(...)"
        )

    def __format__(self, spec: str) -> str:
        if spec:
            raise TypeError(f"`{self.cel}` has no value yet, so it cannot be formatted with {spec!r}: write it plainly")
        return str(self)

    def _within(self, least: Level) -> str:
        return self.cel if self.level >= least else f"({self.cel})"

    def _call(self, name: str, *arguments: "CelValue | str") -> str:
        said = ", ".join(each.cel if isinstance(each, CelValue) else literal(each) for each in arguments)
        return f"{self._within(Level.PRIMARY)}.{name}({said})"

    def _relation(self, operator: str, left: str, right: str, other: "CelValue | None") -> "BoolValue":
        steps = self.steps | (other.steps if other is not None else frozenset())
        return BoolValue(f"{left} {operator} {right}", Level.RELATION, steps)


class BoolValue(CelValue):
    """A condition."""

    __slots__ = ()

    def __and__(self, other: "BoolValue") -> "BoolValue":
        return self._join("&&", Level.AND, other)

    def __or__(self, other: "BoolValue") -> "BoolValue":
        return self._join("||", Level.OR, other)

    def __invert__(self) -> "BoolValue":
        return BoolValue(f"!{self._within(Level.UNARY)}", Level.UNARY, self.steps)

    def _join(self, operator: str, level: Level, other: "BoolValue") -> "BoolValue":
        if not isinstance(other, BoolValue):
            raise TypeError(f"{operator} joins conditions, and {other!r} is none; put comparisons in parentheses")
        return BoolValue(f"{self._within(level)} {operator} {other._within(level)}", level, self.steps | other.steps)


class _Ordered(CelValue):
    """A value that can be compared with others of its type."""

    __slots__ = ()

    def _compare(self, operator: str, other: object) -> BoolValue:
        raise NotImplementedError

    def __eq__(self, other: object) -> BoolValue:
        return self._compare("==", other)

    def __ne__(self, other: object) -> BoolValue:
        return self._compare("!=", other)

    __hash__ = object.__hash__


class NumberValue(_Ordered):
    """An int or, if `real`, a float. Ints become floats where they meet floats, as in Python."""

    __slots__ = ("real",)

    def __init__(self, cel: str, level: Level, steps: frozenset[str], *, real: bool, reference: str = "") -> None:
        super().__init__(cel, level, steps, reference)
        self.real = real

    def __lt__(self, other: "NumberValue | float") -> BoolValue:
        return self._compare("<", other)

    def __le__(self, other: "NumberValue | float") -> BoolValue:
        return self._compare("<=", other)

    def __gt__(self, other: "NumberValue | float") -> BoolValue:
        return self._compare(">", other)

    def __ge__(self, other: "NumberValue | float") -> BoolValue:
        return self._compare(">=", other)

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


class TextValue(_Ordered):
    """A text: params and outputs are texts. `as_int`, `as_float` and `as_json` read what is written in it."""

    __slots__ = ()

    def __lt__(self, other: "TextValue | str") -> BoolValue:
        return self._compare("<", other)

    def __le__(self, other: "TextValue | str") -> BoolValue:
        return self._compare("<=", other)

    def __gt__(self, other: "TextValue | str") -> BoolValue:
        return self._compare(">", other)

    def __ge__(self, other: "TextValue | str") -> BoolValue:
        return self._compare(">=", other)

    def __add__(self, other: "TextValue | str") -> "TextValue":
        right = self._text(other)
        text = f"{self._within(Level.SUM)} + {right._within(Level.PRODUCT)}"
        return TextValue(text, Level.SUM, self.steps | right.steps)

    def __radd__(self, other: str) -> "TextValue":
        return TextValue(literal(other)) + self

    def as_int(self) -> NumberValue:
        return NumberValue(f"int({self.cel})", Level.PRIMARY, self.steps, real=False)

    def as_float(self) -> NumberValue:
        return NumberValue(f"double({self.cel})", Level.PRIMARY, self.steps, real=True)

    def as_json(self) -> "JsonValue":
        return JsonValue(f"parseJSON({self.cel})", Level.PRIMARY, self.steps)

    def as_list(self) -> "ListValue":
        """The text is a JSON list, to loop over."""
        return ListValue(f"parseJSON({self.cel})", Level.PRIMARY, self.steps)

    def contains(self, part: "TextValue | str") -> BoolValue:
        return self._test("contains", part)

    def startswith(self, start: "TextValue | str") -> BoolValue:
        return self._test("startsWith", start)

    def endswith(self, end: "TextValue | str") -> BoolValue:
        return self._test("endsWith", end)

    def matches(self, pattern: str) -> BoolValue:
        """Whether an RE2 pattern is found in it."""
        return self._test("matches", pattern)

    def is_in(self, values: Sequence[str]) -> BoolValue:
        return self._relation("in", self._within(Level.SUM), literal_list(values), None)

    def lower(self) -> "TextValue":
        return TextValue(self._call("lowerAscii"), steps=self.steps)

    def upper(self) -> "TextValue":
        return TextValue(self._call("upperAscii"), steps=self.steps)

    def strip(self) -> "TextValue":
        return TextValue(self._call("trim"), steps=self.steps)

    def split(self, separator: str) -> "ListValue":
        return ListValue(self._call("split", separator), steps=self.steps)

    def length(self) -> NumberValue:
        return NumberValue(f"size({self.cel})", Level.PRIMARY, self.steps, real=False)

    def _test(self, name: str, argument: "TextValue | str") -> BoolValue:
        steps = self.steps | (argument.steps if isinstance(argument, TextValue) else frozenset())
        return BoolValue(self._call(name, argument), Level.PRIMARY, steps)

    def _compare(self, operator: str, other: object) -> BoolValue:
        right = self._text(other)
        return self._relation(operator, self._within(Level.SUM), right._within(Level.SUM), right)

    def _text(self, other: object) -> "TextValue | JsonValue":
        if isinstance(other, TextValue | JsonValue):
            return other
        if isinstance(other, str):
            return TextValue(literal(other))
        raise TypeError(
            f"`{self.cel}` is a text and {other!r} is none: write .as_int() or .as_float() behind it to compare numbers, "
            'and == "true" for a truth value'
        )


class JsonValue(_Ordered):
    """A value out of JSON, of a type that only the cluster knows: `value["key"]`, `value[0]`."""

    __slots__ = ()

    def __getitem__(self, key: str | int) -> "JsonValue":
        base = self._within(Level.PRIMARY)
        text = f"{base}[{key}]" if isinstance(key, int) else member(base, key)
        inner = self.reference[2:-1]
        reference = f"$({inner}.{key})" if inner == "item" and isinstance(key, str) else ""
        return JsonValue(text, Level.PRIMARY, self.steps, reference)

    def __lt__(self, other: "CelValue | str | float") -> BoolValue:
        return self._compare("<", other)

    def __le__(self, other: "CelValue | str | float") -> BoolValue:
        return self._compare("<=", other)

    def __gt__(self, other: "CelValue | str | float") -> BoolValue:
        return self._compare(">", other)

    def __ge__(self, other: "CelValue | str | float") -> BoolValue:
        return self._compare(">=", other)

    def as_int(self) -> NumberValue:
        return NumberValue(f"int({self.cel})", Level.PRIMARY, self.steps, real=False)

    def as_float(self) -> NumberValue:
        return NumberValue(f"double({self.cel})", Level.PRIMARY, self.steps, real=True)

    def as_text(self) -> TextValue:
        return TextValue(f"string({self.cel})", Level.PRIMARY, self.steps, self.reference)

    def as_bool(self) -> BoolValue:
        return self._compare("==", True)

    def as_list(self) -> "ListValue":
        return ListValue(self.cel, self.level, self.steps)

    def is_in(self, values: Sequence[str | int | float]) -> BoolValue:
        return self._relation("in", self._within(Level.SUM), literal_list(values), None)

    def _compare(self, operator: str, other: object) -> BoolValue:
        if isinstance(other, CelValue):
            return self._relation(operator, self._within(Level.SUM), other._within(Level.SUM), other)
        if isinstance(other, str | int | float):
            return self._relation(operator, self._within(Level.SUM), literal(other), None)
        raise TypeError(f"`{self.cel}` cannot be compared with {other!r}: only with texts, numbers and truth values")


class ListValue(CelValue):
    """A list, to loop over or to ask about."""

    __slots__ = ()

    def size(self) -> NumberValue:
        return NumberValue(f"size({self.cel})", Level.PRIMARY, self.steps, real=False)

    def contains(self, value: str | float | bool) -> BoolValue:
        return BoolValue(f"{literal(value)} in {self._within(Level.SUM)}", Level.RELATION, self.steps)

    def any(self, test: Callable[[JsonValue], BoolValue]) -> BoolValue:
        return BoolValue(*self._macro("exists", test))

    def all(self, test: Callable[[JsonValue], BoolValue]) -> BoolValue:
        return BoolValue(*self._macro("all", test))

    def filter(self, test: Callable[[JsonValue], BoolValue]) -> "ListValue":
        return ListValue(*self._macro("filter", test))

    def _macro(self, name: str, test: Callable[[JsonValue], BoolValue]) -> tuple[str, Level, frozenset[str]]:
        variable = variable_for(self.cel)
        inner = test(JsonValue(variable))
        return f"{self._within(Level.PRIMARY)}.{name}({variable}, {inner.cel})", Level.PRIMARY, self.steps | inner.steps


def variable_for(text: str) -> str:
    """A name for the variable of a macro over `text` that no macro within it has."""
    taken = 0
    while f"each{taken or ''}" in text:
        taken += 1
    return f"each{taken or ''}"


def _number(near: NumberValue, value: object) -> NumberValue:
    if isinstance(value, NumberValue):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = "; write .as_int() or .as_float() behind it" if isinstance(value, TextValue | JsonValue) else ""
        raise TypeError(f"`{near.cel}` is a number and {value!r} is none{hint}")
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
