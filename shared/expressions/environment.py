"""The CEL environment of each kind of scope: variables, types and functions. Created on first use."""

from functools import cache
from typing import Any, Final

from cel_expr_python import cel
from cel_expr_python.ext import ext_math, ext_optional, ext_strings

from shared.expressions import bindings, functions
from shared.expressions.library import kubernetes
from shared.expressions.scope import POLICY_VARIABLES, ScopeKind

_TEXTS: Final = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
_STEP: Final = cel.Type(f"{bindings.PACKAGE}.Step")
_FLOW: Final = {
    "steps": cel.Type.Map(cel.Type.STRING, _STEP),
    "params": _TEXTS,
    "flow": cel.Type(f"{bindings.PACKAGE}.Flow"),
}
_ITEM: Final = {"item": cel.Type.DYN, "index": cel.Type.INT}

VARIABLES: Final[dict[ScopeKind, dict[str, Any]]] = {
    ScopeKind.FLOW: _FLOW,
    ScopeKind.LOOP: _FLOW | _ITEM | {"last": _STEP},
    ScopeKind.ITEM: _FLOW | _ITEM,
    ScopeKind.RETRY: _FLOW | {"attempt": cel.Type(f"{bindings.PACKAGE}.Attempt")},
    ScopeKind.SCHEDULE: {"schedule": cel.Type.Map(cel.Type.STRING, cel.Type.TIMESTAMP), "last": _TEXTS},
    ScopeKind.POLICY: dict.fromkeys(POLICY_VARIABLES, cel.Type.DYN),
}


# Libraries that Kubernetes has for policies, and those that the templates of `syntax.templates` need.
_POLICY_LIBRARIES: Final = (
    "bindings",
    "lists",
    "math",
    "optional",
    "regex",
    "sets",
    "strings",
    "two-var-comprehensions",
)


@cache
def environment(kind: ScopeKind) -> Any:
    """The environment of a kind of scope. Expressions can be evaluated only with activations of the same environment."""
    if kind is ScopeKind.POLICY:
        return _policy_environment()
    return cel.NewEnv(
        descriptor_pool=bindings.pool(),
        variables=VARIABLES[kind],
        extensions=[ext_strings.ExtStrings(), ext_math.ExtMath(), ext_optional.ExtOptional()],
        functions=[functions.QUANTITY, functions.RANGE, functions.PARSE_JSON],
    )


def _policy_environment() -> Any:
    libraries = "".join(f"- name: {each}\n" for each in _POLICY_LIBRARIES)
    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(f"name: policy\nextensions:\n{libraries}"),
        descriptor_pool=bindings.pool(),
        variables=VARIABLES[ScopeKind.POLICY],
        extensions=[kubernetes.extension()],
        functions=[functions.QUANTITY, functions.RANGE],
    )
