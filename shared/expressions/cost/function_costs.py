"""Cost rules of the CEL functions: the largest result and the longest time for arguments of given sizes.

Times are nanoseconds, measured with the library (0.1.3) on worst inputs and rounded up. Expressions may not use a
function without a rule, so a new function in a later version of the library cannot bring an unbounded cost.
"""

from collections.abc import Callable, Sequence
from typing import Final

from shared.expressions.cost.kubernetes_costs import KUBERNETES_RULES, list_search
from shared.expressions.cost.value_sizes import SCALAR, SLOT, Cost, Size

Args = Sequence[Size]


Rule = Callable[[Args], Cost]


def _scalar(args: Args) -> Cost:
    return Cost(SCALAR)


def _reading(args: Args) -> Cost:
    """The result is a scalar; every argument is read once."""
    return Cost(SCALAR, 4 * sum(arg.bytes for arg in args))


def _same(args: Args) -> Cost:
    """The result is at most as large as the first argument."""
    return Cost(args[0], 10 * args[0].bytes)


def _sum(args: Args) -> Cost:
    return Cost(Size(sum(arg.bytes for arg in args), sum(arg.items for arg in args)))


def _either(args: Args) -> Cost:
    return Cost(Size(max((arg.bytes for arg in args), default=0), max((arg.items for arg in args), default=0)))


def _conditional(args: Args) -> Cost:
    return _either(args[1:])


def _compare(args: Args) -> Cost:
    # Maps are the slowest: 600 ns an entry, which has at least four bytes.
    return Cost(SCALAR, 150 * min(arg.bytes for arg in args))


def _in(args: Args) -> Cost:
    element, container = args
    return Cost(SCALAR, 50 * container.items + 4 * min(container.bytes, element.bytes * container.items))


def _find(args: Args) -> Cost:
    """A part of a text, or an element of a list; the types are not known here."""
    return _slower(_find_in_text(args), list_search(args)) if args[0].items else _find_in_text(args)


def _slower(one: Cost, other: Cost) -> Cost:
    return Cost(one.size, max(one.time, other.time))


def _find_in_text(args: Args) -> Cost:
    text, part = args[0].bytes, args[1].bytes
    return Cost(SCALAR, 10 * text + text * part // 16)


def _matches(args: Args) -> Cost:
    # The automaton of a pattern can exceed RE2's cache. Then the time for each character is proportional to the length
    # of the pattern, and a nested repetition multiplies that length by up to a thousand.
    text, pattern = args[0].bytes, args[1].bytes
    return Cost(SCALAR, 20_000 + 1_000 * pattern + text * (50 + 10 * pattern))


def _replace(args: Args) -> Cost:
    text, by = args[0].bytes, args[2].bytes
    size = text * (1 + by) + by
    return Cost(Size(size), 30 * size)


def _split(args: Args) -> Cost:
    items = args[0].bytes + 1
    return Cost(Size(args[0].bytes + SLOT * items, items), 500 * items)


def _join(args: Args) -> Cost:
    between = args[1].bytes if len(args) > 1 else 0
    size = args[0].bytes + args[0].items * between
    return Cost(Size(size), 40 * size)


def _format(args: Args) -> Cost:
    # Numbers have at most 1000 places, bytes are printed in hexadecimal, and text inside lists is escaped.
    size = args[0].bytes + 1_400 * args[1].items + 4 * args[1].bytes
    return Cost(Size(size), 20 * size)


def _quote(args: Args) -> Cost:
    return Cost(Size(4 * args[0].bytes + 2), 40 * args[0].bytes)


def _to_text(args: Args) -> Cost:
    return Cost(Size(max(32, args[0].bytes)))


def _parse_json(args: Args) -> Cost:
    text = args[0].bytes
    return Cost(Size(text * (1 + SLOT // 2), text // 2 + 1), 5_000 + 300 * text)


def _quantity(args: Args) -> Cost:
    return Cost(SCALAR, 5_000 + 10 * args[0].bytes)


def _named(rule: Rule, names: str) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


COMPARISONS: Final = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
"""Cheaper than by their rule if one side is a number or a text, which are compared byte by byte."""

RULES: Final[dict[str, Rule]] = {
    **_named(_scalar, "_&&_ _||_ !_ @not_strictly_false -_ _-_ _*_ _/_ _%_ type duration timestamp hasValue uint"),
    **_named(_scalar, "getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds"),
    **_named(_scalar, "getMinutes getMonth getSeconds"),
    **_named(
        _scalar, "math.ceil math.floor math.round math.trunc math.abs math.sign math.isNaN math.isInf math.isFinite"
    ),
    **_named(_scalar, "math.bitAnd math.bitOr math.bitXor math.bitNot math.bitShiftLeft math.bitShiftRight math.sqrt"),
    **_named(_reading, "math.@max math.@min size int double bool startsWith endsWith"),
    **_named(_same, "substring trim lowerAscii upperAscii reverse charAt bytes"),
    **_named(
        _either, "dyn _[_] _?._ _[?_] first last value orValue or optional.of optional.none optional.ofNonZeroValue"
    ),
    **dict.fromkeys(COMPARISONS, _compare),
    **_named(_find, "contains indexOf lastIndexOf"),
    "_+_": _sum,
    "_?_:_": _conditional,
    "@in": _in,
    "matches": _matches,
    "replace": _replace,
    "split": _split,
    "join": _join,
    "format": _format,
    "strings.quote": _quote,
    "string": _to_text,
    "parseJSON": _parse_json,
    "quantity": _quantity,
    **KUBERNETES_RULES,
}
"""By the function's name in the checked expression. `bound` has the rules for `range` and comprehensions."""
