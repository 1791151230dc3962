"""A static bound on the memory and time that an expression can take, computed before it runs.

The CEL library limits neither: a chain of replace() of 326 characters takes 23 s and 6 GiB, and map() over 10 000
elements copies its result at every step, which takes 3 s and 1.6 GiB. Here every node gets the largest size that follows
from the sizes of its parts, and an expression whose total exceeds the limits is refused, as Kubernetes refuses a
validation rule above its cost budget.

Loops: the elements of a list share its bytes, and no cost grows more slowly than its argument. The worst list therefore
has one element with all the bytes and else empty ones, so the body counts once for the former and once, times the length,
for the latter.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from shared.expressions.cost import value_sizes
from shared.expressions.cost.function_costs import COMPARISONS, RULES
from shared.expressions.cost.value_sizes import SCALAR, SLOT, Cost, InputLimits, Size
from shared.expressions.functions import MAX_RANGE
from shared.expressions.scope import ScopeKind
from shared.expressions.syntax.tree import Checked, Expr, constant, kind_of

MAX_VALUE_BYTES: Final = 16 * 1024 * 1024
MAX_MEMORY_BYTES: Final = 128 * 1024 * 1024
MAX_NANOSECONDS: Final = 1_000_000_000
MAX_LOOP_RUNS: Final = 10_000  # the library's own iteration budget for a whole evaluation
MAX_LOOP_DEPTH: Final = 6

_SMALL: Final = 8  # bytes of the shortest constant
_NODE: Final = 100  # ns to handle a node
_BYTE: Final = 5  # ns to write a byte of a new value
_APPEND: Final = 30  # ns and
_APPEND_BYTES: Final = 16  # bytes to copy an element, half the length times, at each step of map() and filter()


class TooCostly(Exception):
    """The bound is exceeded at a node. `what`: the reason, for messages."""

    def __init__(self, node_id: int, what: str) -> None:
        super().__init__(what)
        self.node_id = node_id
        self.what = what


class UnknownCost(Exception):
    """A function without a cost rule, which expressions may not use."""

    def __init__(self, node_id: int, function: str) -> None:
        super().__init__(function)
        self.node_id = node_id
        self.function = function


Local = dict[str, Size]
"""Sizes of the variables of the enclosing loops."""


class Total(msgspec.Struct):
    """The most that an evaluation takes."""

    nanoseconds: int = 0
    memory: int = 0


def bound(checked: Checked, kind: ScopeKind, limits: InputLimits) -> Total:
    """The most that the expression takes for inputs within `limits`. Raises TooCostly or UnknownCost."""
    walk = _Walk(checked, kind, limits)
    walk.size(checked.root, {}, 1, 0)
    return walk.total


class _Walk:
    def __init__(self, checked: Checked, kind: ScopeKind, limits: InputLimits) -> None:
        self.checked = checked
        self.kind = kind
        self.limits = limits
        self.total = Total()
        self._measure: dict[str, Callable[[Expr, Local, int, int], Size]] = {
            "const": self._constant,
            "ident": self._ident,
            "select": self._select,
            "call": self._call,
            "list": self._list,
            "struct": self._struct,
            "comprehension": self._loop,
        }

    def size(self, node: Expr, local: Local, runs: int, depth: int) -> Size:
        """The largest value of `node`, which is evaluated `runs` times; adds its cost to the total."""
        found = self._clamp(node, self._measure[kind_of(node)](node, local, runs, depth))
        self._charge(node, runs, _NODE, 0)
        if found.bytes > MAX_VALUE_BYTES:
            raise TooCostly(node.id, f"its value can have {_mib(found.bytes)} (at most {_mib(MAX_VALUE_BYTES)})")
        return found

    def _charge(self, node: Expr, runs: int, time: int, memory: int, written: bool = True) -> None:
        self.total.nanoseconds += runs * (time + (_BYTE * memory if written else 0))
        self.total.memory += runs * memory
        if self.total.memory > MAX_MEMORY_BYTES:
            raise TooCostly(node.id, f"it can need more than {_mib(MAX_MEMORY_BYTES)} of memory")
        if self.total.nanoseconds > MAX_NANOSECONDS:
            raise TooCostly(node.id, f"it can take more than {MAX_NANOSECONDS / 1e9:.0f} s")

    def _clamp(self, node: Expr, size: Size) -> Size:
        kind = self.checked.types.get(node.id)
        scalar = kind is not None and (
            kind.HasField("null")
            or (kind.HasField("primitive") and kind.primitive <= _LAST_SCALAR)
            or (kind.HasField("well_known") and kind.well_known > _ANY)
        )
        return SCALAR if scalar else size

    def _primitive(self, node: Expr) -> bool:
        kind = self.checked.types.get(node.id)
        return kind is not None and kind.HasField("primitive")

    def _constant(self, node: Expr, _local: Local, _runs: int, _depth: int) -> Size:
        value = constant(node)
        text = value.encode() if isinstance(value, str) else value
        return Size(len(text) + _SMALL) if isinstance(text, bytes) else SCALAR

    def _ident(self, node: Expr, local: Local, _runs: int, _depth: int) -> Size:
        name = node.ident_expr.name
        return local[name] if name in local else value_sizes.variable(self.kind, name, self.limits)

    def _list(self, node: Expr, local: Local, runs: int, depth: int) -> Size:
        parts = [self.size(item, local, runs, depth) for item in node.list_expr.elements]
        made = Size(sum(part.bytes + SLOT for part in parts), max([len(parts), *(part.items for part in parts)]))
        self._charge(node, runs, 0, made.bytes)
        return made

    def _select(self, node: Expr, local: Local, runs: int, depth: int) -> Size:
        select = node.select_expr
        operand = self.size(select.operand, local, runs, depth)
        return self._member(select.operand, select.field, local, operand)

    def _member(self, operand: Expr, name: str, local: Local, whole: Size) -> Size:
        kind = self.checked.types.get(operand.id)
        message = kind.message_type if kind is not None else ""
        if message:
            return value_sizes.field(message.rpartition(".")[2], name, self.limits)
        known = value_sizes.entry(_map_name(operand, local), self.limits)
        return known if known else Size(whole.bytes, whole.items)

    def _call(self, node: Expr, local: Local, runs: int, depth: int) -> Size:
        call = node.call_expr
        parts = ([call.target] if call.HasField("target") else []) + list(call.args)
        args = [self.size(part, local, runs, depth) for part in parts]
        if call.function in ("_[_]", "_?._", "_[?_]"):
            key = constant(parts[1])
            return self._member(parts[0], key if isinstance(key, str) else "", local, args[0])
        if call.function in ("range", "lists.range"):
            return self._range(node, parts[0], runs)
        if call.function in ("find", "findAll") and not isinstance(constant(parts[1]), str):
            raise UnknownCost(node.id, f"{call.function} with a pattern that is not a literal")
        rule = RULES.get(call.function)
        if rule is None:
            raise UnknownCost(node.id, call.function)
        cost = rule(args)
        if call.function in COMPARISONS and any(self._primitive(part) for part in parts):
            cost = Cost(SCALAR, min(arg.bytes for arg in args))
        made = self._clamp(node, cost.size)
        self._charge(node, runs, cost.time, made.bytes if made is not SCALAR else 0)
        return cost.size

    def _range(self, node: Expr, end: Expr, runs: int) -> Size:
        value = constant(end)
        if node.call_expr.function == "lists.range" and not (isinstance(value, int) and value <= MAX_RANGE):
            raise TooCostly(node.id, f"lists.range() needs a literal of at most {MAX_RANGE}; use range()")
        items = min(MAX_RANGE, self.limits.items if value is None else max(0, int(value)))
        self._charge(node, runs, 5_000 + 100 * items, SLOT * items)
        return Size(SLOT * items, items)

    def _struct(self, node: Expr, local: Local, runs: int, depth: int) -> Size:
        entries = node.struct_expr.entries
        parts = [self.size(entry.map_key, local, runs, depth) for entry in entries if entry.HasField("map_key")]
        parts += [self.size(entry.value, local, runs, depth) for entry in entries]
        made = Size(sum(part.bytes + SLOT for part in parts), max([len(entries), *(part.items for part in parts)]))
        self._charge(node, runs, 200 * len(entries), made.bytes)
        return made

    def _loop(self, node: Expr, local: Local, runs: int, depth: int) -> Size:
        loop = node.comprehension_expr
        if depth == MAX_LOOP_DEPTH:
            raise TooCostly(node.id, f"loops are nested more than {MAX_LOOP_DEPTH} deep")
        over = self.size(loop.iter_range, local, runs, depth)
        if _is_binding(loop):
            inner = {**local, loop.accu_var: self.size(loop.accu_init, local, runs, depth)}
            return self.size(loop.result, inner, runs, depth)
        count = min(MAX_LOOP_RUNS, max(over.items, 1))
        names = [name for name in (loop.iter_var, loop.iter_var2) if name]
        fullest = self._body(loop, {**local, **dict.fromkeys(names, over)}, runs, depth)
        left = min(MAX_LOOP_RUNS, runs * (count - 1))
        emptiest = self._body(loop, {**local, **dict.fromkeys(names, SCALAR)}, left, depth)
        if not loop.accu_init.HasField("list_expr"):
            return SCALAR
        self._charge(node, runs, _APPEND * count * count, 0)
        self._charge(node, runs, 0, _APPEND_BYTES * count * count, written=False)
        made = fullest.bytes + (count - 1) * emptiest.bytes
        return Size(made, max(count, fullest.items, emptiest.items))

    def _body(self, loop: Any, local: Local, runs: int, depth: int) -> Size:
        inner = {**local, loop.accu_var: Size(0)}
        self.size(loop.loop_condition, inner, runs, depth + 1)
        return self.size(loop.loop_step, inner, runs, depth + 1)


_LAST_SCALAR: Final = 4  # of primitive types: BOOL, INT64, UINT64, DOUBLE; STRING and BYTES follow
_ANY: Final = 1  # of well known types; TIMESTAMP and DURATION follow


def _map_name(operand: Expr, local: Local) -> str:
    """The field or variable that holds a map: `outputs` in `steps.a.outputs`, or `params`; "" for anything else."""
    if operand.HasField("select_expr"):
        return str(operand.select_expr.field)
    name = operand.ident_expr.name if operand.HasField("ident_expr") else ""
    return "" if name in local else str(name)


def _is_binding(loop: Any) -> bool:
    """A loop over an empty list that only binds a variable, as the macro optMap() produces."""
    return loop.iter_range.HasField("list_expr") and not loop.iter_range.list_expr.elements


def _mib(count: int) -> str:
    return f"{count / (1024 * 1024):.0f} MiB"
