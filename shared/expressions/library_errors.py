"""Translates the CEL library's errors into problems that users understand."""

import difflib
import re
from collections.abc import Iterator
from typing import Final

from shared.expressions.bindings import TYPES
from shared.expressions.cost.function_costs import RULES
from shared.expressions.environment import VARIABLES
from shared.expressions.problem import SHOWN, Problem, nearest
from shared.expressions.scope import ScopeKind


def from_library(error: str, text: str, kind: ScopeKind) -> tuple[Problem, ...]:
    """The problems in the library's error text, without consequential errors."""
    if "recursion limit" in error or "recursion depth" in error:
        return (Problem("the expression is nested too deeply (at most 32 levels)", hint="split it into several steps"),)
    found = [(int(match[1]), int(match[2]), match[3]) for match in _LINE.finditer(error)]
    roots = [fault for fault in found if not any(mark in fault[2] for mark in _ECHOES)] or found
    if not roots:
        return (Problem(error.removesuffix("]").rpartition(" [")[0] or error),)
    # Errors after a keyword are consequences of it.
    words = [fault for fault in roots if _keyword(text, *fault[:2])]
    return tuple(_problem(*fault, text, kind) for fault in (words or roots)[:SHOWN])


_ECHOES: Final = ("*error*", "<<nil>>")  # marks of consequential errors
_LINE: Final = re.compile(
    r"^(?:INVALID_ARGUMENT: )?ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?: \[[A-Z_]+\])?$", re.MULTILINE
)
_FIELD: Final = re.compile(r"undefined field '(.*)' not found in struct 'jobflow\.(\w+)'")
_NAME: Final = re.compile(r"undeclared reference to '(.*?)'")
_OVERLOAD: Final = re.compile(r"found no matching overload for '(.*?)' applied to '\(?(.*?)\)?'$")
_DASHED: Final = re.compile(r"\bsteps\s*\.\s*([A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)+|[0-9][A-Za-z0-9_-]*)")
_KEYWORD: Final = re.compile(r"\b([A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)\s*\.\s*(in|true|false|null)\b")
_ELSEWHERE: Final = {
    **dict.fromkeys(("item", "index"), "it exists only in for.if, for.while and patch of a step with `for`"),
    "last": "it exists only in for.while and patch of a step with `for`",
    "attempt": "it exists only in retry.if",
    **dict.fromkeys(
        ("object", "oldObject", "request", "namespaceObject", "variables"), "it exists only in a JobFlowPolicy"
    ),
    **dict.fromkeys(("steps", "params", "flow"), "it exists only in a JobFlow"),
}
_OTHER_SYNTAX: Final = (
    (re.compile(r"\$\(|\$\{|\{\{"), "an expression has no $(...) or {{...}} around its variables"),
    (re.compile(r"[^=!<>]=[^=]"), "CEL compares with =="),
    (re.compile(r"\b(?:and|or|not)\b"), "CEL has &&, || and !"),
)
_NUMBERS: Final = {"int", "uint", "double"}


def _problem(line: int, column: int, message: str, text: str, kind: ScopeKind) -> Problem:
    line, column = max(line, 1), max(column, 1)
    dashed = _dashed(text, line, column)
    if dashed:
        said, hint = f"steps.{dashed} is not a name in CEL", f'write steps["{dashed}"]'
        return Problem(said, line, column, hint)
    if keyword := _keyword(text, line, column):
        holder, word = keyword
        return Problem(f'"{word}" is a keyword of CEL', line, column, f'write {holder}["{word}"]')
    if match := _FIELD.search(message):
        said = f'undefined field "{match[1]}" of {_A[match[2]]}'
        return Problem(said, line, column + 1, nearest(match[1], TYPES[match[2]], "fields"))
    if match := _NAME.search(message):
        name = match[1].partition(".")[0]
        start = text.split("\n")[line - 1].rfind(name, 0, column - 1 + len(name)) + 1
        return Problem(f'undeclared name "{name}"', line, start or column, _name_hint(name, kind))
    if match := _OVERLOAD.search(message):
        said, hint = _overload(match[1], match[2])
        return Problem(said, line, column, hint)
    return Problem(_plain(message), line, column, _syntax_hint(text) if "yntax error" in message else "")


def _syntax_hint(text: str) -> str:
    """What to write instead of the syntax of another language, which the expression contains."""
    return next((hint for pattern, hint in _OTHER_SYNTAX if pattern.search(text)), "")


def _dashed(text: str, line: int, column: int) -> str:
    """The step name that is meant by `steps.n-m` or `steps.2nd`, if the fault is in it."""
    matches = (match for match in _DASHED.finditer(_line(text, line)) if match.start() < column <= match.end() + 1)
    return next((match[1] for match in matches), "")


def _keyword(text: str, line: int, column: int) -> tuple[str, str] | None:
    """(params, in) if the fault is in `params.in`."""
    matches = (match for match in _KEYWORD.finditer(_line(text, line)) if match.start(2) == column - 1)
    return next(((match[1], match[2]) for match in matches), None)


def _line(text: str, number: int) -> str:
    lines = text.split("\n")
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _name_hint(name: str, kind: ScopeKind) -> str:
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    variables = list(VARIABLES[kind])
    others = [known for known in (*variables, *_functions(kind)) if known != name]
    similar = difflib.get_close_matches(name, others, n=1, cutoff=0.6)
    return f'did you mean "{similar[0]}"?' if similar else f"variables: {', '.join(variables)}"


def _functions(kind: ScopeKind) -> Iterator[str]:
    hidden = {"parseJSON"} if kind is ScopeKind.POLICY else set()
    yield from (name for name in RULES if name.isalpha() and name not in hidden)
    yield "range"


def _overload(function: str, types: str) -> tuple[str, str]:
    kinds = set(types.split(", "))
    hint = ""
    if "string" in kinds and kinds & _NUMBERS:
        hint = "params and outputs are strings: convert with int(...) or double(...)"
    elif {"int", "double"} <= kinds:
        hint = "convert with double(...)"
    name = f"{function}()" if function.isalpha() else f'operator "{function.strip("_@")}"'
    return f"{name} does not take ({types.replace('jobflow.', '')})", hint


def _plain(message: str) -> str:
    if match := _SYNTAX.search(message):
        wanted = "end of the expression" if match[1] == "'<EOF>'" else match[1]
        return f"syntax error: unexpected {wanted}"
    return message.replace(" (in container '')", "").replace("jobflow.", "")


_SYNTAX: Final = re.compile(r"Syntax error: (?:mismatched|extraneous) input (.*?) expecting ")
_A: Final = {"Step": "a step", "Attempt": "an attempt", "Flow": "flow", "Pods": "pods"}
