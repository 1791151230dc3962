"""Expressions compiled: parsed, type-checked, references and cost checked, once per text and scope."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

import msgspec

from shared.expressions import problem, references
from shared.expressions.compiled_cache import CompiledCache
from shared.expressions.cost import bound
from shared.expressions.cost.value_sizes import InputLimits
from shared.expressions.environment import environment
from shared.expressions.problem import Problem
from shared.expressions.scope import Scope, ScopeKind
from shared.expressions.syntax import tree
from shared.expressions.syntax.rewrite import rewritten
from shared.names import MAX_EXPRESSION_BYTES, MAX_OUTPUT_BYTES


class ResultType(StrEnum):
    """What the place of an expression takes; the value names it to people."""

    BOOL = "bool"
    LIST = "list"
    STRING_INT_BOOL = "string, int or bool"
    VALUE = "JSON value"


class Program(msgspec.Struct, frozen=True):
    """A compiled expression, for evaluate(). `limits`: the inputs for which its cost is bounded."""

    text: str
    kind: ScopeKind
    result: ResultType
    expression: Any
    steps: frozenset[str]
    params: frozenset[str]
    whole_params: bool
    limits: tuple[InputLimits, ...]
    static_type: str


def compile_expression(text: str, scope: Scope, result: ResultType) -> Program | tuple[Problem, ...]:
    """The program, or every problem of the text (never an empty tuple).

    Compiled once for all scopes of a kind and remembered; what the scope allows is checked at each call. Total: it
    returns for any text. Of an expression over 4 KiB, or nested too deeply, only that is said.
    """
    fault = _text_fault(text)
    if fault:
        return (Problem(fault),)
    compiled = COMPILED(text, scope.kind, result)
    faults = [*compiled.problems, *references.check(compiled.references, text, scope)]
    if compiled.program is not None and not faults:
        return compiled.program
    return tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))


def references_of(program: Program) -> frozenset[str]:
    """The names of the steps it reads: those that evaluate() must be given."""
    return program.steps


def params_used(program: Program, declared: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names of the params it reads; all that are `declared` when it chooses by a name computed at run time."""
    return program.params | declared if program.whole_params else program.params


# What an expression must be able to bear; the first that it can is what it may be given. Values of params and outputs
# have at most MAX_OUTPUT_BYTES, so an expression that bears the first line needs no look at its inputs.
_FLOW_LADDER: Final = tuple(
    InputLimits(size, items)
    for size, items in ((MAX_OUTPUT_BYTES, 10_000), (MAX_OUTPUT_BYTES, 2000), (2048, 2000), (1024, 1000), (512, 500))
)
# Bytes of an object, and the longest list in it. For each size the longest that is affordable is kept.
_POLICY_BYTES: Final = (3 << 20, 1 << 20, 256 << 10, 64 << 10, 16 << 10, 4 << 10)
_POLICY_ITEMS: Final = (1 << 20, 10_000, 5000, 2000, 1000, 500, 200, 100)


class _Compiled(msgspec.Struct, frozen=True):
    """A text without regard to the names of a scope: a program, or the problems that every scope has with it."""

    program: Program | None
    references: references.References
    problems: tuple[Problem, ...] = ()


_NO_REFERENCES: Final = references.References((), False, ())


def _compile(text: str, kind: ScopeKind, result: ResultType) -> _Compiled:
    try:
        expression = environment(kind).compile(text)
        serialized = expression.serialize()
        checked = tree.read(serialized)
    except (RuntimeError, ValueError, LookupError) as error:
        said = "recursion limit" if isinstance(error, tree.TooDeep) else str(error)
        return _Compiled(None, _NO_REFERENCES, problem.from_library(said, text, kind))
    found = references.find(checked, text)
    static_type = type_name(checked.types.get(checked.root.id))
    problems = (*found.problems, *_result_fault(static_type, result))
    if problems:
        return _Compiled(None, found, problems)
    limits = _limits(checked, text, kind)
    if isinstance(limits, Problem):
        return _Compiled(None, found, (limits,))
    runs = _improved(expression, serialized, kind)
    named = found.named("step"), found.named("param"), found.whole_params
    return _Compiled(Program(text, kind, result, runs, *named, limits, static_type), found)


# A compiled text takes up to sixty times its length: 32 MiB at most, and room for every expression of a large cluster.
COMPILED: Final = CompiledCache(_compile, characters=1 << 19, entries=4096)


def _improved(expression: Any, serialized: bytes, kind: ScopeKind) -> Any:
    better = rewritten(serialized)
    if better is None:
        return expression
    try:
        return environment(kind).deserialize(better)
    except (RuntimeError, ValueError):  # grown too deep for the wire: it runs as it was written
        return expression


def _text_fault(text: str) -> str:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "the expression is not valid UTF-8"
    if size > MAX_EXPRESSION_BYTES:
        return f"the expression has {size} bytes (at most {MAX_EXPRESSION_BYTES})"
    return "" if text.strip() else "the expression is empty"


def _limits(checked: tree.Checked, text: str, kind: ScopeKind) -> tuple[InputLimits, ...] | Problem:
    ladder = _policy_limits(checked) if kind is ScopeKind.POLICY else _flow_limits(checked, kind)
    limits = tuple(limit for limit in ladder if isinstance(limit, InputLimits))
    if limits:
        return limits
    error = next((entry for entry in reversed(ladder) if not isinstance(entry, InputLimits)), None)
    assert error is not None, "a ladder without limits says why"
    offset = checked.positions.get(error.node_id, 0)
    if isinstance(error, bound.UnknownCost):
        return problem.at(text, offset, f"function {error.function} is not offered")
    return problem.at(text, offset, f"the expression is too costly: {error.what}", "make it simpler")


_Rung = InputLimits | bound.TooCostly | bound.UnknownCost


def _flow_limits(checked: tree.Checked, kind: ScopeKind) -> list[_Rung]:
    rungs: list[_Rung] = []
    for limits in _FLOW_LADDER:
        rungs.append(_try(checked, kind, limits))
        if isinstance(rungs[-1], InputLimits):
            break
    return rungs


def _policy_limits(checked: tree.Checked) -> list[_Rung]:
    rungs: list[_Rung] = []
    for size in _POLICY_BYTES:
        for items in _POLICY_ITEMS:
            rungs.append(_try(checked, ScopeKind.POLICY, InputLimits(size, items)))
            if isinstance(rungs[-1], InputLimits):
                break
        if rungs[-1] == InputLimits(size, _POLICY_ITEMS[0]):
            break
    return rungs


def _try(checked: tree.Checked, kind: ScopeKind, limits: InputLimits) -> _Rung:
    try:
        bound.bound(checked, kind, limits)
    except (bound.TooCostly, bound.UnknownCost) as error:
        return error
    return limits


_PRIMITIVES: Final = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}
_WELL_KNOWN: Final = {1: "any", 2: "timestamp", 3: "duration"}
_TAKES: Final = {
    ResultType.BOOL: {"bool", "dyn"},
    ResultType.LIST: {"list", "dyn"},
    ResultType.STRING_INT_BOOL: {"string", "int", "bool", "dyn"},
    ResultType.VALUE: {
        "bool",
        "int",
        "uint",
        "double",
        "string",
        "list",
        "map",
        "null",
        "dyn",
        "Step",
        "Attempt",
        "Flow",
        "Pods",
    },
}
_REMEDIES: Final = {
    (ResultType.BOOL, "string"): 'compare it, as in ... == "true"',
    (ResultType.STRING_INT_BOOL, "double"): "convert it with int(...) or string(...)",
    (ResultType.VALUE, "timestamp"): "convert it with string(...)",
    (ResultType.VALUE, "duration"): "convert it with string(...)",
    (ResultType.VALUE, "bytes"): "convert it with string(...)",
}


def type_name(kind: Any) -> str:
    """`bool`, `int`, ..., `list`, `map`, `null`, `dyn`, a message's name, or `?` for what no result can be."""
    if kind is None or kind.HasField("dyn"):
        return "dyn"
    if kind.HasField("primitive"):
        return _PRIMITIVES[kind.primitive]
    if kind.HasField("well_known"):
        return _WELL_KNOWN[kind.well_known]
    for field, name in (("list_type", "list"), ("map_type", "map"), ("null", "null")):
        if kind.HasField(field):
            return name
    return str(kind.message_type).rpartition(".")[2] or "?"


def _result_fault(kind: str, result: ResultType) -> Iterator[Problem]:
    if kind not in _TAKES[result]:
        named = "a type or an optional" if kind == "?" else kind
        yield Problem(f"the result is {named}; {result.value} is needed", hint=_REMEDIES.get((result, kind), ""))
