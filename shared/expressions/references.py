"""Which steps and params an expression reads, and whether it may (jobflow-api.md 3.4: References)."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from shared.expressions.problem import Problem, at, nearest
from shared.expressions.scope import Scope
from shared.expressions.syntax.tree import Checked, Expr, children, constant, kind_of


class Use(msgspec.Struct, frozen=True):
    """One place where a step, a param or an output of a step (`step`, "" for the looping one itself) is named."""

    kind: str
    name: str
    offset: int
    step: str = ""


class References(msgspec.Struct, frozen=True):
    """What an expression names. `whole_params`: some are chosen at run time, so all must be passed.

    `problems`: those that no scope could heal; check() finds the others.
    """

    uses: tuple[Use, ...]
    whole_params: bool
    problems: tuple[Problem, ...]

    def named(self, kind: str) -> frozenset[str]:
        """The names of all `step` or all `param` uses."""
        return frozenset(use.name for use in self.uses if use.kind == kind)


def find(checked: Checked, text: str) -> References:
    """Everything the expression names of steps and params."""
    walk = _Walk(checked, text)
    walk.visit(checked.root, {})
    return References(tuple(walk.uses), walk.whole_params, tuple(walk.problems))


def check(found: References, text: str, scope: Scope) -> list[Problem]:
    """A problem for each use that the scope does not allow."""
    said = ((use, _CHECKS[use.kind](use, scope)) for use in found.uses)
    return [at(text, use.offset, *fault) for use, fault in said if fault]


_Fault = tuple[str, str] | None


def _check_step(use: Use, scope: Scope) -> _Fault:
    if use.name not in scope.steps:
        return f'no step named "{use.name}"', nearest(use.name, scope.steps, "steps")
    if use.name in scope.upstream:
        return None
    said = f'step "{use.name}" does not end before this is evaluated'
    return said, "make it a target, directly or through other steps"


def _check_param(use: Use, scope: Scope) -> _Fault:
    if use.name in scope.params:
        return None
    return f'no param named "{use.name}"', nearest(use.name, scope.params, "params")


def _check_output(use: Use, scope: Scope) -> _Fault:
    if use.step and use.step not in scope.steps:
        return None  # told already
    declared = scope.outputs.get(use.step, ()) if use.step else scope.own_outputs
    if use.name in declared:
        return None
    of = f'step "{use.step}"' if use.step else "this step"
    return f'{of} has no output "{use.name}"', nearest(use.name, declared, "outputs") or f"{of} declares no outputs"


_CHECKS: Final[dict[str, Callable[[Use, Scope], _Fault]]] = {
    "step": _check_step,
    "param": _check_param,
    "output": _check_output,
}
_OWN = ""  # the step that loops: what `last` is
_Local = dict[str, str | None]


class _Walk:
    """`local`: variables of enclosing loops, with the step whose iterations they run over, if they do."""

    def __init__(self, checked: Checked, text: str) -> None:
        self.checked = checked
        self.text = text
        self.uses: list[Use] = []
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
            self._use("param", key, node)
            return True
        if key is not None and _field(operand) == "outputs":
            owner = self._step_of(operand.select_expr.operand, local)
            if owner is not None:
                self._use("output", key, node, owner)
        return False

    def _step(self, node: Expr, name: str | None) -> bool:
        if name is None:
            self._say(node, "the name of a step must be a literal", 'write steps["NAME"]')
        else:
            self._use("step", name, node)
        return True

    def _use(self, kind: str, name: str, node: Expr, step: str = "") -> None:
        # Positions are those of the dot or bracket before the name.
        self.uses.append(Use(kind, name, self.checked.positions.get(node.id, 0) + 1, step))

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

    def _say(self, node: Expr, message: str, hint: str) -> None:
        self.problems.append(at(self.text, self.checked.positions.get(node.id, 0), message, hint))


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
