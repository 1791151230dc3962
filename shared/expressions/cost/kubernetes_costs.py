"""Cost rules of Kubernetes' functions for policies and of the list and set libraries, as in `function_costs`.

Functions that run in Python accept texts of up to kubernetes.LONGEST characters only.
"""

from collections.abc import Callable, Sequence
from typing import Final

from shared.expressions.cost.value_sizes import SCALAR, SLOT, Cost, Size
from shared.expressions.library import formats, kubernetes

Rule = Callable[[Sequence[Size]], Cost]

_PYTHON: Final = 20_000  # ns of a call of a function in Python on the longest text
_TEXT: Final = Size(4 * kubernetes.LONGEST)


def _arithmetic(args: Sequence[Size]) -> Cost:
    return Cost(SCALAR, 1_000)


def _python(args: Sequence[Size]) -> Cost:
    return Cost(SCALAR, _PYTHON)


def _python_text(args: Sequence[Size]) -> Cost:
    return Cost(_TEXT, _PYTHON)


def _python_values(args: Sequence[Size]) -> Cost:
    return Cost(Size(_TEXT.bytes + SLOT * kubernetes.LONGEST, kubernetes.LONGEST), 4 * _PYTHON)


def _total(args: Sequence[Size]) -> Cost:
    return Cost(SCALAR, 1_000 + 300 * args[0].items)


def _search(args: Sequence[Size]) -> Cost:
    """A loop over the list that compares every element."""
    values = args[0]
    found = Size(SLOT * values.items, values.items)
    return Cost(found, 1_000 + 500 * values.items + 4 * min(values.bytes, args[1].bytes * values.items))


def _sort(args: Sequence[Size]) -> Cost:
    values = args[0]
    return Cost(Size(values.bytes, values.items), 1_000 + 100 * values.items * max(values.items, 1).bit_length())


def _copy(args: Sequence[Size]) -> Cost:
    values = args[0]
    return Cost(Size(values.bytes + SLOT * values.items, values.items), 1_000 + 100 * values.items)


def _distinct(args: Sequence[Size]) -> Cost:
    """Every element is compared with all earlier ones."""
    values = args[0]
    return Cost(Size(values.bytes, values.items), 1_000 + 100 * values.items**2 + 4 * values.bytes)


def _sets(args: Sequence[Size]) -> Cost:
    one, other = args
    pairs = max(one.items, 1) * max(other.items, 1)
    return Cost(SCALAR, 1_000 + 100 * pairs + 4 * (one.bytes * max(other.items, 1) + other.bytes * max(one.items, 1)))


def _find(args: Sequence[Size]) -> Cost:
    text, pattern = args[0].bytes, args[1].bytes
    return Cost(Size(text), 20_000 + 1_000 * pattern + text * (50 + 10 * pattern))


def _find_all(args: Sequence[Size]) -> Cost:
    items = args[0].bytes + 1
    return Cost(Size(args[0].bytes + SLOT * items, items), _find(args).time + 500 * items)


def _named(rule: Rule, names: str) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


KUBERNETES_RULES: Final[dict[str, Rule]] = {
    **_named(_arithmetic, "isInteger asInteger asApproximateFloat sign add sub"),
    **_named(_python, "isLessThan isGreaterThan compareTo isQuantity isURL isIP ip.isCanonical family isUnspecified"),
    **_named(_python, "isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast isCIDR containsIP"),
    **_named(_python, "containsCIDR prefixLength isSemver major minor patch"),
    **_named(
        _python_text, "url getScheme getHost getHostname getPort getEscapedPath ip cidr masked semver format.named"
    ),
    **_named(_python_values, "getQuery validate"),
    **dict.fromkeys((f"format.{name}" for name in formats.FORMATS), _arithmetic),
    **_named(_total, "sum"),
    **_named(_sort, "sort min max isSorted @sortByAssociatedKeys"),
    **_named(_copy, "slice flatten"),
    **_named(_distinct, "distinct"),
    **_named(_sets, "sets.contains sets.equivalent sets.intersects"),
    **_named(_find, "find"),
    **_named(_find_all, "findAll"),
}
"""`indexOf` and `lastIndexOf` of lists: see `list_search`."""


def list_search(args: Sequence[Size]) -> Cost:
    """indexOf and lastIndexOf of a list."""
    return Cost(SCALAR, _search(args).time + 30 * args[0].items ** 2)
