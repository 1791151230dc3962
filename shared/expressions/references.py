"""Finds the steps and params that an expression reads, and checks them against its scope.

An expression may read only steps that have ended when it is evaluated, and names must be literal, so that this can be
checked in advance. See docs/design/jobflow-api.md, section 3.4.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from shared.expressions.problem import Problem, at, nearest
from shared.expressions.scope import Scope
from shared.expressions.syntax.tree import Checked, Expr, children, constant, kind_of


class Use(msgspec.Struct, frozen=True):
    """One use of a step, a param or a step's output. `step`: of an output; "" for the step that loops."""

    kind: str
    name: str
    offset: int
    step: str = ""


class References(msgspec.Struct, frozen=True):
    """The names in an expression. `whole_params`: some are computed at run time, so all must be passed.

    `problems`: those that exist in every scope; check() finds the others.
    """

    uses: tuple[Use, ...]
    whole_params: bool
    problems: tuple[Problem, ...]

    def named(self, kind: str) -> frozenset[str]:
        """The names in all uses of a kind (`step` or `param`)."""
        return frozenset(use.name for use in self.uses if use.kind == kind)


def find(checked: Checked, text: str) -> References:
    """All uses of steps and params in the expression."""
    walk = _Walk(checked, text)
    walk.visit(checked.root, {})
    return References(tuple(walk.uses), walk.whole_params, tuple(walk.problems))


def check(found: References, text: str, scope: Scope) -> list[Problem]:
    """One problem for each use that the scope does not allow."""
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
        return None  # reported as a problem of the step
    declared = scope.outputs.get(use.step, ()) if use.step else scope.own_outputs
    if use.name in declared:
        return None
    of = f'step "{use.step}"' if use.step else "this step"
    return f'{of} has no output "{use.name}"', nearest(use.name, declared, "outputs") or f"{of} declares no outputs"


def _check_variable(use: Use, scope: Scope) -> _Fault:
    if use.name in scope.variables:
        return None
    return f'no variable named "{use.name}" before this', nearest(use.name, scope.variables, "variables")


_CHECKS: Final[dict[str, Callable[[Use, Scope], _Fault]]] = {
    "step": _check_step,
    "param": _check_param,
    "output": _check_output,
    "variable": _check_variable,
}
_NAMED: Final = {"params": "param", "variables": "variable"}
_OWN = ""  # the step that loops, which `last` refers to
_Local = dict[str, str | None]


class _Walk:
    """`local`: variables of enclosing loops, with the step if they iterate over a step's iterations."""

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
        # With two variables the first is the index or key, and the second the element.
        element, others = loop.iter_var2 or loop.iter_var, (loop.iter_var, loop.accu_var)
        inner = {**local, **dict.fromkeys(others), element: self._iterations_of(loop.iter_range, local)}
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
        elif name == "variables":
            self._say(node, "variables cannot be used as a whole", "name one: variables.NAME")

    def _member(self, node: Expr, local: _Local) -> bool:
        """Handles `X.name` and `X["name"]`. True if the operand needs no separate visit."""
        member = _split(node)
        if member is None:
            return False
        operand, key = member
        variable = _global(operand, local)
        if variable == "steps":
            return self._step(node, key)
        if variable in _NAMED and key is not None:
            self._use(_NAMED[variable], key, node)
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
        # The position of the node is that of the dot or bracket before the name.
        self.uses.append(Use(kind, name, self.checked.positions.get(node.id, 0) + 1, step))

    def _step_of(self, node: Expr, local: _Local) -> str | None:
        """The name of the step that `node` refers to, "" for the looping step itself, None if it is not a step."""
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
    """Operand and key of `X.key`, `X["key"]`, `X.?key`. The key is None if it is not a literal text."""
    if node.HasField("select_expr"):
        return node.select_expr.operand, node.select_expr.field
    if node.HasField("call_expr") and node.call_expr.function in ("_[_]", "_?._", "_[?_]"):
        key = constant(node.call_expr.args[1])
        return node.call_expr.args[0], key if isinstance(key, str) else None
    return None


def _field(node: Expr) -> str:
    return node.select_expr.field if node.HasField("select_expr") else ""


def _global(node: Expr, local: _Local) -> str | None:
    """The name of a variable that no loop variable hides, None for anything else."""
    name = node.ident_expr.name if node.HasField("ident_expr") else ""
    return name if name and name not in local else None
