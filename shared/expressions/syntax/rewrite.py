"""Replaces calls in a checked expression by the templates of `templates`, after type-checking and cost-checking."""

from collections.abc import Iterator
from typing import Any, Final

from shared import quantity as quantities
from shared.expressions.syntax import tree
from shared.expressions.syntax.templates import LITERAL_PATTERNS, OVERLOADS, Template, template, without_groups
from shared.expressions.syntax.tree import Expr

_TYPES: Final = ("string",)  # names in templates that are not variables
_MOST_NODES: Final = 4000  # the most nodes that templates may add to an expression


def rewritten(serialized: bytes) -> bytes | None:
    """The checked expression with these calls replaced, for the library's deserialize(); None if it has none."""
    outer, checked = tree.parts(serialized)
    calls = [node for node in _nodes(checked.expr) if _overload(checked, node) in OVERLOADS]
    if not calls:
        return None
    computed = _affordable(checked, [call for call in calls if not _folded(checked, call)])
    numbers = _Numbers(max(checked.type_map) + 1)
    for call in reversed(computed):  # inner calls first, because they become part of the outer ones
        overload = _overload(checked, call)
        if overload in LITERAL_PATTERNS:
            _without_groups(call)
        _replace(checked, call, template(overload), numbers)
    outer.value = checked.SerializeToString()
    return bytes(outer.SerializeToString())


def _affordable(checked: Any, calls: list[Expr]) -> list[Expr]:
    """The first calls whose templates together have at most _MOST_NODES nodes."""
    left = _MOST_NODES
    found: list[Expr] = []
    for call in calls:
        left -= len(template(_overload(checked, call)).checked.type_map)
        if left < 0:
            break
        found.append(call)
    return found


def _without_groups(call: Expr) -> None:
    pattern = call.call_expr.args[0]
    pattern.const_expr.string_value = without_groups(pattern.const_expr.string_value)


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


def _overload(checked: Any, node: Expr) -> str:
    if not node.HasField("call_expr") or node.id not in checked.reference_map:
        return ""
    overloads = [str(overload) for overload in checked.reference_map[node.id].overload_id]
    if len(overloads) == 1:
        return overloads[0]
    # For a value of an unknown type all overloads remain.
    return "quantity_any" if overloads and node.call_expr.function == "quantity" else ""


def _nodes(root: Expr) -> Iterator[Expr]:
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(tree.children(node))


def _replace(checked: Any, call: Expr, replacement: Template, numbers: _Numbers) -> None:
    arguments = [*([call.call_expr.target] if call.call_expr.HasField("target") else []), *call.call_expr.args]
    body = _instance(checked, replacement, numbers)
    for name, argument in reversed(list(zip(replacement.parameters, arguments, strict=True))):
        body = _binding(checked, f"@{name}", argument, body, numbers)
    body.id = call.id
    del checked.reference_map[call.id]
    call.CopyFrom(body)


def _instance(checked: Any, replacement: Template, numbers: _Numbers) -> Expr:
    """A copy of the template's tree with new ids and renamed parameters, registered in `checked`."""
    source = replacement.checked
    shift = numbers.take(max(source.type_map) + 1)
    for node_id, kind in source.type_map.items():
        checked.type_map[shift + node_id].CopyFrom(kind)
    for node_id, reference in source.reference_map.items():
        checked.reference_map[shift + node_id].CopyFrom(reference)
        if not reference.overload_id and reference.name not in _TYPES:
            checked.reference_map[shift + node_id].name = f"@{reference.name}"
    root = type(source.expr)()
    root.CopyFrom(source.expr)
    for node in _nodes(root):
        node.id += shift
        if node.HasField("ident_expr") and node.ident_expr.name not in _TYPES:
            node.ident_expr.name = f"@{node.ident_expr.name}"
        elif node.HasField("comprehension_expr"):
            _rename_loop(node.comprehension_expr)
    return root


def _rename_loop(loop: Any) -> None:
    for field in ("iter_var", "iter_var2", "accu_var"):
        if name := getattr(loop, field):
            setattr(loop, field, f"@{name}")


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
