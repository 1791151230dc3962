"""Replaces calls that the library (0.1.3) handles badly by equivalent CEL, after type-checking.

quantity(): functions in Python are slow and leak their arguments (`functions`), so CEL computes the common forms and only
the others call Python. substring(a, b): the library wrongly refuses an end that equals the length of the text.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import msgspec
from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from shared import quantity as quantities
from shared.expressions import functions
from shared.expressions.syntax import tree
from shared.expressions.syntax.tree import Expr

_SCALED: Final = {
    "m": "/ 1000.0",
    **{f"{letter}i": f"* {1024.0**power}" for power, letter in enumerate("KMGT", 1)},
    **{letter: f"* {1000.0**power}" for power, letter in enumerate("kMGT", 1)},
}
# Longer texts, decimal fractions with a suffix, and texts with other letters are left to the exact Python function.
_LONGEST: Final = 11


def _quantity_text() -> str:
    branches = [f"s.size() > {_LONGEST} ? quantity(s) : "]
    for suffix, scale in _SCALED.items():
        number = f"s.substring(0, s.size() - {len(suffix)})"
        plain = f'{number} != "" && {number}.trim().lowerAscii() == {number}.upperAscii()'
        exact = plain if suffix.endswith("i") else f'{plain} && !{number}.contains(".")'
        branches.append(f's.endsWith("{suffix}") ? ({exact} ? double({number}) {scale} : quantity(s)) : ')
    return "".join(branches) + '(s != "" && s.trim().lowerAscii() == s.upperAscii() ? double(s) : quantity(s))'


_TEMPLATES: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "quantity_string": (("s",), _quantity_text()),
    "string_substring_int_int": (("s", "a", "b"), "b == s.size() ? s.substring(a) : s.substring(a, b)"),
}
"""By overload: the names of the parameters, and the expression that replaces the call."""


class _Template(msgspec.Struct, frozen=True):
    parameters: tuple[str, ...]
    checked: Any


def rewritten(serialized: bytes) -> bytes | None:
    """The checked expression with these calls replaced, for the library's deserialize(); None if it has none."""
    outer, checked = tree.parts(serialized)
    calls = [node for node in _nodes(checked.expr) if _overload(checked, node) in _TEMPLATES]
    if not calls:
        return None
    computed = [call for call in calls if not _folded(checked, call)]
    numbers = _Numbers(max(checked.type_map) + 1)
    for call in reversed(computed[:_MOST]):  # inner calls first, because they become part of the outer ones
        _replace(checked, call, _templates()[_overload(checked, call)], numbers)
    outer.value = checked.SerializeToString()
    return bytes(outer.SerializeToString())


_MOST: Final = 8  # the most calls that are replaced; each adds about 200 nodes to the tree


def _folded(checked: Any, call: Expr) -> bool:
    """Replaces quantity("literal") by its number. Whether `call` was one."""
    text = tree.constant(call.call_expr.args[0]) if call.call_expr.function == "quantity" else None
    if not isinstance(text, str) or quantities.fault(text):
        return False
    del checked.reference_map[call.id]
    call.const_expr.double_value = quantities.quantity(text).nanos / quantities.NANO
    call.ClearField("call_expr")
    return True


class _Numbers:
    """Ids for new nodes."""

    def __init__(self, first: int) -> None:
        self.next = first

    def take(self, count: int = 1) -> int:
        self.next += count
        return self.next - count


@cache
def _templates() -> dict[str, _Template]:
    types = {"s": cel.Type.STRING, "a": cel.Type.INT, "b": cel.Type.INT}
    env = cel.NewEnv(variables=types, extensions=[ext_strings.ExtStrings()], functions=[functions.QUANTITY])
    return {
        overload: _Template(parameters, tree.parts(env.compile(text).serialize())[1])
        for overload, (parameters, text) in _TEMPLATES.items()
    }


def _overload(checked: Any, node: Expr) -> str:
    if not node.HasField("call_expr") or node.id not in checked.reference_map:
        return ""
    overloads = list(checked.reference_map[node.id].overload_id)
    return str(overloads[0]) if len(overloads) == 1 else ""


def _nodes(root: Expr) -> Iterator[Expr]:
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(tree.children(node))


def _replace(checked: Any, call: Expr, template: _Template, numbers: _Numbers) -> None:
    arguments = [*([call.call_expr.target] if call.call_expr.HasField("target") else []), *call.call_expr.args]
    body = _instance(checked, template, numbers)
    for name, argument in reversed(list(zip(template.parameters, arguments, strict=True))):
        body = _binding(checked, f"@{name}", argument, body, numbers)
    body.id = call.id
    del checked.reference_map[call.id]
    call.CopyFrom(body)


def _instance(checked: Any, template: _Template, numbers: _Numbers) -> Expr:
    """A copy of the template's tree with new ids and renamed parameters, registered in `checked`."""
    source = template.checked
    shift = numbers.take(max(source.type_map) + 1)
    for node_id, kind in source.type_map.items():
        checked.type_map[shift + node_id].CopyFrom(kind)
    for node_id, reference in source.reference_map.items():
        checked.reference_map[shift + node_id].CopyFrom(reference)
        if not reference.overload_id:
            checked.reference_map[shift + node_id].name = f"@{reference.name}"
    root = type(source.expr)()
    root.CopyFrom(source.expr)
    for node in _nodes(root):
        node.id += shift
        if node.HasField("ident_expr"):
            node.ident_expr.name = f"@{node.ident_expr.name}"
    return root


def _binding(checked: Any, name: str, value: Expr, body: Expr, numbers: _Numbers) -> Expr:
    """`body` with `name` bound to `value`: a loop over an empty list, like the library's own cel.bind()."""
    node = type(body)(id=numbers.take())
    loop = node.comprehension_expr
    loop.iter_var = "@unused"
    loop.iter_range.id = numbers.take()
    loop.iter_range.list_expr.SetInParent()
    loop.accu_var = name
    loop.accu_init.CopyFrom(value)
    loop.loop_condition.id = numbers.take()
    loop.loop_condition.const_expr.bool_value = False
    loop.loop_step.id = numbers.take()
    loop.loop_step.ident_expr.name = name
    checked.reference_map[loop.loop_step.id].name = name
    loop.result.CopyFrom(body)
    return node
