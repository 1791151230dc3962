"""CEL texts that replace calls which the library lacks or handles badly, by overload.

Quantities: functions in Python are slow and leak their arguments, so CEL computes the common forms and only the others call
Python. substring(a, b): the library wrongly refuses an end that equals the length of the text. Lists, formats and regular
expressions of Kubernetes' library are expressed by functions that the CEL library has.
"""

import re
from functools import cache
from typing import Any, Final

import msgspec
from cel_expr_python import cel
from cel_expr_python.ext import ext_optional, ext_strings

from shared.expressions import functions
from shared.expressions.library import formats, kubernetes
from shared.expressions.syntax import tree

_SCALED: Final = {
    "m": "/ 1000.0",
    **{f"{letter}i": f"* {1024.0**power}" for power, letter in enumerate("KMGT", 1)},
    **{letter: f"* {1000.0**power}" for power, letter in enumerate("kMGT", 1)},
}
# Longer texts, decimal fractions with a suffix, and texts with other letters are left to the exact Python function.
_LONGEST: Final = 11
# The Python function refuses longer texts; a text of any length would leak there.
_CUT: Final = "(s.size() > 64 ? s.substring(0, 65) : s)"


def _quantity_text() -> str:
    branches = [f"s.size() > {_LONGEST} ? quantity{_CUT} : "]
    for suffix, scale in _SCALED.items():
        number = f"s.substring(0, s.size() - {len(suffix)})"
        plain = f'{number} != "" && {number}.trim().lowerAscii() == {number}.upperAscii()'
        exact = plain if suffix.endswith("i") else f'{plain} && !{number}.contains(".")'
        branches.append(f's.endsWith("{suffix}") ? ({exact} ? double({number}) {scale} : quantity(s)) : ')
    return "".join(branches) + '(s != "" && s.trim().lowerAscii() == s.upperAscii() ? double(s) : quantity(s))'


_QUANTITY: Final = r"^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?$"
_COMPARE: Final = "(d < e ? -1 : d > e ? 1 : 0)"
_ROUNDED: Final = "cel.bind(r, {}, r < 9e6 && r > -9e6 ? math.round(r * 1e9) / 1e9 : r)"
_FOUND: Final = "l.transformList(i, each, each == x, i)"
_CUT_TEXT: Final = f"(t.size() > {kubernetes.LONGEST} ? t.substring(0, {kubernetes.LONGEST + 1}) : t)"
_FORMATS: Final = ", ".join(f"'{name}'" for name in formats.FORMATS)

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "quantity_string": ("s", _quantity_text()),
    "quantity_int": ("i", "double(i)"),
    "quantity_double": ("d", "d"),
    "quantity_any": ("x", f"type(x) == string ? cel.bind(s, string(x), {_quantity_text()}) : double(x)"),
    "string_substring_int_int": ("s a b", "b == s.size() ? s.substring(a) : s.substring(a, b)"),
    "quantity_less": ("d e", "d < e"),
    "quantity_greater": ("d e", "d > e"),
    "quantity_compare": ("d e", _COMPARE),
    "quantity_add": ("d e", _ROUNDED.format("d + e")),
    "quantity_add_int": ("d i", _ROUNDED.format("d + double(i)")),
    "quantity_sub": ("d e", _ROUNDED.format("d - e")),
    "quantity_sub_int": ("d i", _ROUNDED.format("d - double(i)")),
    "quantity_is_integer": ("d", "d == math.trunc(d) && d < 9223372036854775808.0 && d >= -9223372036854775808.0"),
    "quantity_as_float": ("d", "d"),
    "quantity_sign": ("d", "(d < 0.0 ? -1 : d > 0.0 ? 1 : 0)"),
    "string_is_quantity": ("s", f"s.size() <= 64 && s.matches('{_QUANTITY}')"),
    "list_min": ("l", "l.sort()[0]"),
    "list_max": ("l", "l.sort()[l.size() - 1]"),
    "list_is_sorted": ("l", "l.sort() == l"),
    "list_index_of": ("l x", f"cel.bind(r, {_FOUND}, r.size() == 0 ? -1 : r[0])"),
    "list_last_index_of": ("l x", f"cel.bind(r, {_FOUND}, r.size() == 0 ? -1 : r[r.size() - 1])"),
    "string_find": ("s t", "regex.extract(s, t).orValue('')"),
    "string_find_all": ("s t", "regex.extractAll(s, t)"),
    "string_find_all_limit": (
        "s t i",
        "cel.bind(r, regex.extractAll(s, t), i < 0 || i > r.size() ? r : r.slice(0, i))",
    ),
    "format_named": ("s", f"s in [{_FORMATS}] ? optional.of(s) : optional.none()"),
    "format_validate": (
        "s t",
        f"cel.bind(r, formatFaults(s, {_CUT_TEXT}), r.size() == 0 ? optional.none() : optional.of(r))",
    ),
}
# The parts of a loop: whether to continue with a list, the next total, and the result.
_SUM: Final = "l.exists(each, false) ? (total == null ? each : total + each) : (total == null ? 0 : total)"

LITERAL_PATTERNS: Final = frozenset({"string_find", "string_find_all", "string_find_all_limit"})
"""Their second argument must be a literal, in which `without_groups` replaces the groups."""


class Template(msgspec.Struct, frozen=True):
    """`parameters`: their names in the order of the call's arguments, with the receiver first; `checked`: the tree."""

    parameters: tuple[str, ...]
    checked: Any


OVERLOADS: Final = frozenset({*_TEXTS, *kubernetes.OF_TEXTS, "list_sum"})
"""The overloads whose calls are replaced."""


@cache
def template(overload: str) -> Template:
    """What replaces a call of this overload, one of OVERLOADS."""
    if overload == "list_sum":
        return _sum()
    return _template(*(_TEXTS[overload] if overload in _TEXTS else _bounded(overload)))


def _bounded(overload: str) -> tuple[str, str]:
    """A call of a function in Python whose texts are cut to the length that it refuses."""
    name, member, parameters = kubernetes.OF_TEXTS[overload]
    names = {"string": iter("stv"), "bool": iter("n")}
    given = [next(names[kind]) for kind in parameters]
    most = kubernetes.LONGEST
    cut = [
        each if each == "n" else f"({each}.size() > {most} ? {each}.substring(0, {most + 1}) : {each})"
        for each in given
    ]
    call = f"{cut[0]}.{name}({', '.join(cut[1:])})" if member else f"{name}({', '.join(cut)})"
    return " ".join(given), call


def _template(parameters: str, text: str) -> Template:
    return Template(tuple(parameters.split()), tree.parts(_environment().compile(text).serialize())[1])


def _sum() -> Template:
    """A loop with a running total, which no macro of CEL produces."""
    made = _template("l", _SUM)
    root = made.checked.expr
    found, step, result = root.call_expr.args
    loop = type(root)()
    loop.CopyFrom(found)
    parts = loop.comprehension_expr
    parts.accu_var = "total"
    parts.accu_init.ClearField("const_expr")
    parts.accu_init.const_expr.null_value = 0
    parts.loop_condition.ClearField("call_expr")
    parts.loop_condition.const_expr.bool_value = True
    parts.loop_step.CopyFrom(step)
    parts.result.CopyFrom(result)
    root.CopyFrom(loop)
    return made


def without_groups(pattern: str) -> str:
    """The same pattern without capturing groups, so that the whole match is extracted."""
    return _TOKEN.sub(lambda token: "(?:" if token.lastgroup == "group" else token[0], pattern)


# An escaped character, \Q...\E, a class (in which a first ] is literal), or the start of a capturing group.
_TOKEN: Final = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|(?P<group>\((?:\?P?<[^>]*>|(?!\?)))", re.DOTALL
)


@cache
def _environment() -> Any:
    types = {
        **dict.fromkeys("stv", cel.Type.STRING),
        **dict.fromkeys("abi", cel.Type.INT),
        **dict.fromkeys("de", cel.Type.DOUBLE),
        **dict.fromkeys(("x", "each", "total"), cel.Type.DYN),
        "n": cel.Type.BOOL,
        "l": cel.Type.List(cel.Type.DYN),
    }
    libraries = ("bindings", "lists", "math", "regex", "two-var-comprehensions")
    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(
            "name: templates\nextensions:\n" + "".join(f"- name: {each}\n" for each in libraries)
        ),
        variables=types,
        extensions=[ext_strings.ExtStrings(), ext_optional.ExtOptional(), kubernetes.extension()],
        functions=[functions.QUANTITY],
    )
