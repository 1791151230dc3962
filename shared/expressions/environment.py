"""The CEL environment of each kind of scope: variables, types and functions. Created on first use."""

from functools import cache
from typing import Any, Final

from cel_expr_python import cel
from cel_expr_python.ext import ext_math, ext_optional, ext_strings

from shared.expressions import bindings, functions
from shared.expressions.scope import ScopeKind

_TEXTS: Final = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
_STEP: Final = cel.Type(f"{bindings.PACKAGE}.Step")
_FLOW: Final = {
    "steps": cel.Type.Map(cel.Type.STRING, _STEP),
    "params": _TEXTS,
    "flow": cel.Type(f"{bindings.PACKAGE}.Flow"),
}
_LOOP: Final = {"item": cel.Type.DYN, "index": cel.Type.INT, "last": _STEP}
_POLICY: Final = ("object", "oldObject", "request", "namespaceObject")

VARIABLES: Final[dict[ScopeKind, dict[str, Any]]] = {
    ScopeKind.FLOW: _FLOW,
    ScopeKind.LOOP: _FLOW | _LOOP,
    ScopeKind.RETRY: _FLOW | {"attempt": cel.Type(f"{bindings.PACKAGE}.Attempt")},
    ScopeKind.SCHEDULE: {"schedule": cel.Type.Map(cel.Type.STRING, cel.Type.TIMESTAMP), "last": _TEXTS},
    ScopeKind.POLICY: dict.fromkeys(_POLICY, cel.Type.DYN),
}


@cache
def environment(kind: ScopeKind) -> Any:
    """The environment of a kind of scope. Expressions can be evaluated only with activations of the same environment."""
    offered = [functions.QUANTITY, functions.RANGE]
    if kind is not ScopeKind.POLICY:
        offered.append(functions.PARSE_JSON)
    return cel.NewEnv(
        descriptor_pool=bindings.POOL,
        variables=VARIABLES[kind],
        extensions=[ext_strings.ExtStrings(), ext_math.ExtMath(), ext_optional.ExtOptional()],
        functions=offered,
    )
