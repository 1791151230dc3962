"""Which steps and params an expression reads, and whether it may (jobflow-api.md 3.4: References)."""

from typing import Any

import msgspec

from shared.expressions.problem import Problem, at, nearest
from shared.expressions.scope import Scope
from shared.expressions.syntax import Checked, Expr, children, constant, kind_of


class References(msgspec.Struct, frozen=True):
    """Names that are read. `whole_params`: some are chosen at run time, so all must be passed."""

    steps: frozenset[str]
    params: frozenset[str]
    whole_params: bool
    problems: tuple[Problem, ...]


def find(checked: Checked, text: str, scope: Scope) -> References:
    """Everything the expression reads of steps and params, and a problem for each that it may not."""
    walk = _Walk(checked, text, scope)
    walk.visit(checked.root, {})
    return References(frozenset(walk.steps), frozenset(walk.params), walk.whole_params, tuple(walk.problems))


_OWN = ""  # the step that loops: what `last` is
_Local = dict[str, str | None]


class _Walk:
    """`local`: variables of enclosing loops, with the step whose iterations they run over, if they do."""

    def __init__(self, checked: Checked, text: str, scope: Scope) -> None:
        self.checked = checked
        self.text = text
        self.scope = scope
        self.steps: set[str] = set()
        self.params: set[str] = set()
        self.whole_params = False
        self.problems: list[Problem] = []

    def visit(self, node: Expr, local: _Local) -> None:
        kind = kind_of(node)
        if kind == "ident":
            self._whole(node, local)
        elif kind == "comprehension":
            self._loop(node.comprehension_expr, local)
        elif kind == "struct" and node.struct_expr.message_name:
            self._say(node, f"{node.struct_expr.message_name}{{...}} is not offered", "")
        elif not self._member(node, local):
            for child in children(node):
                self.visit(child, local)

    def _loop(self, loop: Any, local: _Local) -> None:
        self.visit(loop.iter_range, local)
        self.visit(loop.accu_init, local)
        inner = {**local, loop.iter_var: self._iterations_of(loop.iter_range, local), loop.accu_var: None}
        for part in (loop.loop_condition, loop.loop_step, loop.result):
            self.visit(part, inner)

    def _whole(self, node: Expr, local: _Local) -> None:
        name = node.ident_expr.name
        if name in local:
            return
        if name == "steps":
            self._say(node, "steps cannot be used as a whole", 'name one step: steps.NAME or steps["NAME"]')
        elif name == "params":
            self.whole_params = True

    def _member(self, node: Expr, local: _Local) -> bool:
        """Handle `X.name` and `X["name"]`; True when the operand needs no visit of its own."""
        member = _split(node)
        if member is None:
            return False
        operand, key = member
        variable = _global(operand, local)
        if variable == "steps":
            return self._step(node, key)
        if variable == "params" and key is not None:
            return self._param(node, key)
        if key is not None and _field(operand) == "outputs":
            owner = self._step_of(operand.select_expr.operand, local)
            if owner is not None:
                self._output(node, owner, key)
        return False

    def _step(self, node: Expr, name: str | None) -> bool:
        if name is None:
            self._say(node, "the name of a step must be a literal", 'write steps["NAME"]')
            return True
        self.steps.add(name)
        if name not in self.scope.steps:
            self._say(node, f'no step named "{name}"', nearest(name, self.scope.steps, "steps"), skip=1)
        elif name not in self.scope.upstream:
            said = f'step "{name}" does not end before this is evaluated'
            self._say(node, said, "make it a target, directly or through other steps", skip=1)
        return True

    def _param(self, node: Expr, name: str) -> bool:
        self.params.add(name)
        if name not in self.scope.params:
            self._say(node, f'no param named "{name}"', nearest(name, self.scope.params, "params"), skip=1)
        return True

    def _output(self, node: Expr, owner: str, name: str) -> None:
        declared = self.scope.own_outputs if owner == _OWN else self.scope.outputs_of(owner)
        known_step = owner == _OWN or owner in self.scope.steps
        if known_step and name not in declared:
            of = "this step" if owner == _OWN else f'step "{owner}"'
            hint = nearest(name, declared, "outputs") or f"{of} declares no outputs"
            self._say(node, f'{of} has no output "{name}"', hint, skip=1)

    def _step_of(self, node: Expr, local: _Local) -> str | None:
        """The step that `node` is, "" for this one, None if it is not known to be a step."""
        name = _global(node, local)
        if name is None and node.HasField("ident_expr"):
            return local[node.ident_expr.name]
        if name == "last":
            return _OWN
        member = _split(node)
        if member is None:
            return None
        operand, key = member
        return key if _global(operand, local) == "steps" else self._iterations_of(operand, local)

    def _iterations_of(self, node: Expr, local: _Local) -> str | None:
        return self._step_of(node.select_expr.operand, local) if _field(node) == "iterations" else None

    def _say(self, node: Expr, message: str, hint: str, skip: int = 0) -> None:
        offset = self.checked.positions.get(node.id, 0)
        self.problems.append(at(self.text, offset + skip, message, hint))


def _split(node: Expr) -> tuple[Expr, str | None] | None:
    """Operand and key of `X.key`, `X["key"]`, `X.?key`; the key is None when it is not a literal text."""
    if node.HasField("select_expr"):
        return node.select_expr.operand, node.select_expr.field
    if node.HasField("call_expr") and node.call_expr.function in ("_[_]", "_?._", "_[?_]"):
        key = constant(node.call_expr.args[1])
        return node.call_expr.args[0], key if isinstance(key, str) else None
    return None


def _field(node: Expr) -> str:
    return node.select_expr.field if node.HasField("select_expr") else ""


def _global(node: Expr, local: _Local) -> str | None:
    """The name of a variable that no loop hides, None for anything else."""
    name = node.ident_expr.name if node.HasField("ident_expr") else ""
    return name if name and name not in local else None
