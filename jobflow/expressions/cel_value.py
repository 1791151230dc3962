"""The base of all values that are known only when the flow runs.

An operator returns another value, whose `cel` is the text of the whole expression. What Python would evaluate at once
(`and`, `or`, `not`, `in`, chained comparisons, `if`) raises a TypeError that names what to write instead.
"""

from abc import ABC, abstractmethod
from typing import Final, Generic, NoReturn, TypeVar

from jobflow.expressions.literals import Level, literal

Comparable = TypeVar("Comparable")
_BOOL: Final = (
    "this value is known only in the cluster, so Python cannot evaluate it. In expressions write & for `and`, | for "
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
            raise TypeError(
                f"`{self.cel}` has no value yet, so it cannot be formatted with {spec!r}: remove the format"
            )
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
            raise TypeError(
                f"{operator} joins conditions, but {other!r} is not a condition; put comparisons in parentheses"
            )
        return BoolValue(f"{self._within(level)} {operator} {other._within(level)}", level, self.steps | other.steps)


class OrderedValue(CelValue, ABC, Generic[Comparable]):
    """A value that can be compared with others of its type."""

    __slots__ = ()
    __hash__ = object.__hash__

    @abstractmethod
    def _compare(self, operator: str, other: object) -> BoolValue:
        """`self OPERATOR other`. Raises TypeError for an `other` that this type is not compared with."""

    def __eq__(self, other: object) -> BoolValue:
        return self._compare("==", other)

    def __ne__(self, other: object) -> BoolValue:
        return self._compare("!=", other)

    def __lt__(self, other: Comparable) -> BoolValue:
        return self._compare("<", other)

    def __le__(self, other: Comparable) -> BoolValue:
        return self._compare("<=", other)

    def __gt__(self, other: Comparable) -> BoolValue:
        return self._compare(">", other)

    def __ge__(self, other: Comparable) -> BoolValue:
        return self._compare(">=", other)
