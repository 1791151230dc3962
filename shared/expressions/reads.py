"""Finds the fields that an expression reads, for rules of policies.

An update is judged by a rule only if a field that the rule reads has changed, and some variables do not exist in every
context, so both must be known before the expression runs.
"""

from collections.abc import Iterator
from typing import Any

from shared.expressions.program import FieldPath
from shared.expressions.syntax.tree import Checked, Expr, children, constant, kind_of


def fields_read(checked: Checked) -> frozenset[FieldPath]:
    """The longest literal path of every use of a variable, without those that only name a loop's variable."""
    return frozenset(_fields(checked.root, frozenset()))


def _fields(node: Expr, local: frozenset[str]) -> Iterator[FieldPath]:
    path = _path(node)
    if path is not None:
        if path[0] not in local:
            yield path
        return
    if kind_of(node) == "comprehension":
        yield from _fields_of_loop(node.comprehension_expr, local)
        return
    for child in children(node):
        yield from _fields(child, local)


def _fields_of_loop(loop: Any, local: frozenset[str]) -> Iterator[FieldPath]:
    for part in (loop.iter_range, loop.accu_init):
        yield from _fields(part, local)
    inner = local | {loop.iter_var, loop.iter_var2, loop.accu_var}
    for part in (loop.loop_condition, loop.loop_step, loop.result):
        yield from _fields(part, inner)


def _path(node: Expr) -> FieldPath | None:
    """The path that `node` is, None for any other expression."""
    names: list[str] = []
    while True:
        if node.HasField("ident_expr"):
            return (str(node.ident_expr.name), *reversed(names))
        if node.HasField("select_expr"):
            names.append(str(node.select_expr.field))
            node = node.select_expr.operand
            continue
        key = _literal_key(node)
        if key is None:
            return None
        names.append(key)
        node = node.call_expr.args[0]


def _literal_key(node: Expr) -> str | None:
    if not node.HasField("call_expr") or node.call_expr.function not in ("_[_]", "_?._", "_[?_]"):
        return None
    key = constant(node.call_expr.args[1])
    return key if isinstance(key, str) else None
