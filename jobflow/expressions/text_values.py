"""Texts, and what can be read out of them: JSON and lists."""

from collections.abc import Callable, Sequence

from jobflow.expressions.cel_value import BoolValue, CelValue, OrderedValue
from jobflow.expressions.literals import Level, literal, literal_list, member
from jobflow.expressions.number_value import NumberValue


class TextValue(OrderedValue["TextValue | str"]):
    """A text: params and outputs are texts. `as_int`, `as_float` and `as_json` read what is written in it."""

    __slots__ = ()

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
            f"`{self.cel}` is a text, but {other!r} is not: write .as_int() or .as_float() behind it to "
            "compare numbers, "
            'and == "true" for a truth value'
        )


class JsonValue(OrderedValue["CelValue | str | float"]):
    """A value out of JSON, of a type that only the cluster knows: `value["key"]`, `value[0]`."""

    __slots__ = ()

    def __getitem__(self, key: str | int) -> "JsonValue":
        base = self._within(Level.PRIMARY)
        text = f"{base}[{key}]" if isinstance(key, int) else member(base, key)
        inner = self.reference[2:-1]
        reference = f"$({inner}.{key})" if inner == "item" and isinstance(key, str) else ""
        return JsonValue(text, Level.PRIMARY, self.steps, reference)

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
