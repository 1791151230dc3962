"""Compiles expressions: parses and type-checks them, and checks their references and cost. Results are cached."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from shared.expressions import library_errors, literals, references
from shared.expressions.compiled_cache import CompiledCache
from shared.expressions.cost import bound
from shared.expressions.cost.value_sizes import InputLimits
from shared.expressions.environment import environment
from shared.expressions.problem import Problem, at
from shared.expressions.program import Program, ResultType
from shared.expressions.reads import fields_read
from shared.expressions.scope import Scope, ScopeKind
from shared.expressions.syntax import tree
from shared.expressions.syntax.rewrite import rewritten
from shared.names import MAX_EXPRESSION_BYTES, MAX_OUTPUT_BYTES


def compile_expression(text: str, scope: Scope, result: ResultType) -> Program | tuple[Problem, ...]:
    """The program, or all problems of the text (never an empty tuple).

    The result is cached for all scopes of a kind; references are checked against the scope at each call. Never raises.
    If the expression is longer than 4 KiB or nested too deeply, that is the only problem.
    """
    fault = _text_fault(text)
    if fault:
        return (Problem(fault),)
    compiled = COMPILED(text, scope.kind, result)
    faults = [*compiled.problems, *references.check(compiled.references, text, scope)]
    if compiled.program is not None and not faults:
        return compiled.program
    return tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))


# Limits in descending order: an expression gets the first for which its cost is within the bound. Params and outputs have
# at most MAX_OUTPUT_BYTES, so inputs need no check if an expression gets the first limits.
_FLOW_LADDER: Final = tuple(
    InputLimits(size, items)
    for size, items in ((MAX_OUTPUT_BYTES, 10_000), (MAX_OUTPUT_BYTES, 2000), (2048, 2000), (1024, 1000), (512, 500))
)
# Bytes of an object, and the longest list in it. For each size, the longest list within the bound is kept.
_POLICY_BYTES: Final = (3 << 20, 1 << 20, 256 << 10, 64 << 10, 16 << 10, 4 << 10)
_POLICY_ITEMS: Final = (1 << 20, 10_000, 5000, 2000, 1000, 500, 200, 100)


class _Compiled(msgspec.Struct, frozen=True):
    """The result for a text that holds in all scopes of a kind: a program, or problems."""

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
        return _Compiled(None, _NO_REFERENCES, library_errors.from_library(said, text, kind))
    found = references.find(checked, text)
    static_type = type_name(checked.types.get(checked.root.id))
    problems = (*found.problems, *_result_fault(static_type, result))
    if problems:
        return _Compiled(None, found, problems)
    limits = _limits(checked, text, kind)
    if isinstance(limits, Problem):
        return _Compiled(None, found, (limits,))
    runs = _improved(expression, serialized, kind)
    fields = fields_read(checked)
    named = found.named("step"), found.named("param"), found.whole_params
    doubts, values = literals.impossible(checked, text), literals.values_of(checked)
    return _Compiled(Program(text, kind, result, runs, *named, limits, static_type, fields, doubts, values), found)


# A compiled text takes up to sixty times its length, so the cache takes at most 32 MiB. That is enough for all expressions
# of a large cluster.
COMPILED: Final = CompiledCache(_compile, characters=1 << 19, entries=4096)


def _improved(expression: Any, serialized: bytes, kind: ScopeKind) -> Any:
    better = rewritten(serialized)
    if better is None:
        return expression
    try:
        return environment(kind).deserialize(better)
    except (RuntimeError, ValueError):  # too deep for the wire format: run the original
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
    assert error is not None, "without limits there is an error"
    offset = checked.positions.get(error.node_id, 0)
    if isinstance(error, bound.UnknownCost):
        name = "transformMap" if error.function == "cel.@mapInsert" else error.function
        return at(text, offset, f"function {name} is not offered")
    return at(text, offset, f"the expression is too costly: {error.what}", "make it simpler")


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
    ResultType.STRING: {"string", "dyn"},
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
    """`bool`, `int`, ..., `list`, `map`, `null`, `dyn`, a message's name, or `?` for a type that no result may have."""
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
