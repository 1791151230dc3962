"""The syntax tree of a checked expression, decoded from the library's `serialize()`.

Only the fields that are read here are declared. Names and numbers are those of CEL's public schema, cel.expr.CheckedExpr.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from google.protobuf.message import DecodeError

from shared.expressions.syntax import messages

_SCHEMA: Final[dict[str, messages.Fields]] = {
    "Any": {"type_url": (1, "string"), "value": (2, "bytes")},
    "CheckedExpr": {
        "reference_map": (2, "{int64:Reference}"),
        "type_map": (3, "{int64:Type}"),
        "expr": (4, "Expr"),
        "source_info": (5, "SourceInfo"),
    },
    "Reference": {"name": (1, "string"), "overload_id": (3, "string[]")},
    "SourceInfo": {"positions": (4, "{int64:int32}")},
    "Expr": {
        "id": (2, "int64"),
        "const_expr": (3, "Constant"),
        "ident_expr": (4, "Ident"),
        "select_expr": (5, "Select"),
        "call_expr": (6, "Call"),
        "list_expr": (7, "CreateList"),
        "struct_expr": (8, "CreateStruct"),
        "comprehension_expr": (9, "Comprehension"),
    },
    "Constant": {
        "null_value": (1, "int64"),
        "bool_value": (2, "bool"),
        "int64_value": (3, "int64"),
        "double_value": (5, "double"),
        "string_value": (6, "string"),
        "bytes_value": (7, "bytes"),
    },
    "Ident": {"name": (1, "string")},
    "Select": {"operand": (1, "Expr"), "field": (2, "string"), "test_only": (3, "bool")},
    "Call": {"target": (1, "Expr"), "function": (2, "string"), "args": (3, "Expr[]")},
    "CreateList": {"elements": (1, "Expr[]")},
    "Entry": {"id": (1, "int64"), "field_key": (2, "string"), "map_key": (3, "Expr"), "value": (4, "Expr")},
    "CreateStruct": {"message_name": (1, "string"), "entries": (2, "Entry[]")},
    "Comprehension": {
        "iter_var": (1, "string"),
        "iter_range": (2, "Expr"),
        "accu_var": (3, "string"),
        "accu_init": (4, "Expr"),
        "loop_condition": (5, "Expr"),
        "loop_step": (6, "Expr"),
        "result": (7, "Expr"),
        "iter_var2": (8, "string"),
    },
    "Empty": {},
    "Type": {
        "dyn": (1, "Empty"),
        "null": (2, "int64"),
        "primitive": (3, "int64"),
        "wrapper": (4, "int64"),
        "well_known": (5, "int64"),
        "list_type": (6, "ListType"),
        "map_type": (7, "MapType"),
        "message_type": (9, "string"),
    },
    "ListType": {"elem_type": (1, "Type")},
    "MapType": {"key_type": (1, "Type"), "value_type": (2, "Type")},
}
_POOL, _CLASSES = messages.build("jobflow.syntax", _SCHEMA, syntax="proto2")
_KINDS: Final = ("const", "ident", "select", "call", "list", "struct", "comprehension")

Expr = Any
"""One node of the tree; see `kind_of`."""


class Checked(msgspec.Struct, frozen=True):
    """A type-checked expression: the tree, and by node id the types, the overloads and the offsets in the text."""

    root: Expr
    types: Any
    overloads: Any
    positions: Any


class TooDeep(ValueError):
    """The tree is nested more deeply than the wire format allows."""


def read(serialized: bytes) -> Checked:
    """Decodes the result of `Expression.serialize()`. Raises TooDeep if it exceeds protobuf's nesting limit."""
    checked = parts(serialized)[1]
    return Checked(checked.expr, checked.type_map, checked.reference_map, checked.source_info.positions)


def parts(serialized: bytes) -> tuple[Any, Any]:
    """The envelope and the CheckedExpr in it, as messages. Undeclared fields survive writing."""
    try:
        outer = _CLASSES["Any"].FromString(serialized)
        return outer, _CLASSES["CheckedExpr"].FromString(outer.value)
    except DecodeError as error:
        raise TooDeep(str(error)) from error


def kind_of(node: Expr) -> str:
    """`const`, `ident`, `select`, `call`, `list`, `struct`, `comprehension`, or `` for an empty node."""
    return next((kind for kind in _KINDS if node.HasField(f"{kind}_expr")), "")


def constant(node: Expr) -> str | bool | int | float | bytes | None:
    """The value of a literal; None if it is `null` or if `node` is not a literal."""
    if not node.HasField("const_expr"):
        return None
    fields = node.const_expr.ListFields()
    return fields[0][1] if fields else None


def children(node: Expr) -> Iterator[Expr]:
    """The direct children of `node`, in the order of the text."""
    match kind_of(node):
        case "select":
            yield node.select_expr.operand
        case "call":
            if node.call_expr.HasField("target"):
                yield node.call_expr.target
            yield from node.call_expr.args
        case "list":
            yield from node.list_expr.elements
        case "struct":
            for entry in node.struct_expr.entries:
                if entry.HasField("map_key"):
                    yield entry.map_key
                yield entry.value
        case "comprehension":
            loop = node.comprehension_expr
            yield from (loop.iter_range, loop.accu_init, loop.loop_condition, loop.loop_step, loop.result)
