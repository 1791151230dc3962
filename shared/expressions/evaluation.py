"""Evaluates compiled expressions: takes plain Python values and returns a plain value or an error."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from cel_expr_python import cel
from google.protobuf.message import Message

from shared.expressions import functions
from shared.expressions.bindings import plain
from shared.expressions.policy_input import PolicyInput
from shared.expressions.program import EvalError, Program, ResultType
from shared.names import MAX_OUTPUT_BYTES


def evaluate(program: Program, bindings: Mapping[str, Any]) -> Any | EvalError:
    """The value of a flow's expression: str, int, float, bool, None, list or dict, according to its ResultType.

    `bindings`: `steps` (dict of binding_of_step for references_of(program)), `params` (dict), `flow` (binding_of_flow)
    and, if the scope has them, `item`, `index`, `last`, `attempt`. Never raises for any expression or value.
    """
    limits = program.limits[0]
    if limits.bytes < MAX_OUTPUT_BYTES:
        longest = max((_longest(value) for value in bindings.values()), default=0)
        if longest > limits.bytes:
            return EvalError(f"an input has {longest} bytes; this expression may have at most {limits.bytes}")
    return _run(program, {"data": dict(bindings)}, limits.items)


def evaluate_rule(program: Program, given: PolicyInput) -> bool | EvalError:
    """Whether an object complies with a policy's rule. An error counts as a violation."""
    value = evaluate_for_policy(program, given)
    return value if isinstance(value, bool | EvalError) else EvalError("the rule's result is not a bool")


def evaluate_for_policy(program: Program, given: PolicyInput) -> Any | EvalError:
    """The value of a policy's expression, as its ResultType says."""
    fitting = [limits for limits in program.limits if limits.bytes >= given.size]
    most = max((limits.items for limits in fitting), default=0)
    if most < given.size // 4 and most < given.longest_list:
        largest = program.limits[0].bytes
        if given.size > largest:
            return EvalError(f"the request has {given.size} bytes; this rule may have at most {largest}")
        return EvalError(f"a list has {given.longest_list} elements; this rule may have at most {most} at this size")
    return _run(program, {"activation": given.activation}, most)


_CODE: Final = re.compile(r"^[A-Z_]+: (.*?)(?: \[[A-Z_]+\])?$", re.DOTALL)
_BUDGET: Final = "Iteration budget exceeded"


def _run(program: Program, given: dict[str, Any], longest_range: int) -> Any | EvalError:
    token = functions.longest_range.set(longest_range)
    try:
        value = program.expression.eval(**given)
        found = value.value() if program.static_type == "bool" else _plain(value)
    except (RuntimeError, ValueError, LookupError, TypeError) as error:
        return EvalError(_said(str(error)))
    except _NotJson as error:
        return EvalError(f"the result contains {error}, which JSON does not have")
    finally:
        functions.longest_range.reset(token)
    if isinstance(found, EvalError):
        return found
    if program.static_type == "bool" and not isinstance(found, bool):
        return EvalError(_said(str(found)))
    if not _FITS[program.result](found):
        return EvalError(f"the result is {_name(found)}; {program.result.value} is needed")
    return found


class _NotJson(Exception):
    """A result contains a value that JSON does not have."""


def _plain(value: Any) -> Any:
    # The library returns None without a reference of its own; taking it would eventually free the interpreter's None.
    kind = value.type()
    if kind == cel.Type.NULL:
        return None
    found = value.value()
    if kind == cel.Type.ERROR:
        return EvalError(_said(found))
    if isinstance(found, str | bool | int):
        return found
    if isinstance(found, list):
        return _first_error(items := [_plain(item) for item in found]) or items
    if isinstance(found, dict):
        entries = {_key(key): _plain(item) for key, item in found.items()}
        return _first_error(entries.values()) or entries
    if isinstance(found, Message):
        return plain(found)
    if isinstance(found, float) and math.isfinite(found):
        return found
    raise _NotJson(str(found) if isinstance(found, float) else f"a {str(kind).lower()}")


def _first_error(values: Iterable[Any]) -> EvalError | None:
    return next((value for value in values if isinstance(value, EvalError)), None)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    raise _NotJson(f"the key {key!r}")


def _said(error: str) -> str:
    match = _CODE.match(error)
    text = match[1] if match else error
    if _BUDGET in text:
        return "its loops take 10000 iterations or more"
    return text.replace("Key not found in map :", "no such key:")


def _longest(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Message):
        return _longest(plain(value))
    if isinstance(value, dict):
        return max((_longest(item) for item in value.values()), default=0)
    return max((_longest(item) for item in value), default=0) if isinstance(value, list) else 0


def _name(value: Any) -> str:
    return {dict: "a map", list: "a list", str: "a string", bool: "a bool", int: "an int", float: "a double"}.get(
        type(value), "null"
    )


_FITS: Final[dict[ResultType, Callable[[Any], bool]]] = {
    ResultType.BOOL: lambda value: isinstance(value, bool),
    ResultType.LIST: lambda value: isinstance(value, list),
    ResultType.STRING: lambda value: isinstance(value, str),
    ResultType.STRING_INT_BOOL: lambda value: isinstance(value, str | int),
    ResultType.VALUE: lambda value: True,
}
