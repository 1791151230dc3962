"""matchConditions of webhooks: CEL over `object`, `oldObject` and `request`."""

from functools import lru_cache
from typing import Any

from cel_expr_python import cel

from shared.model.types import Body

_DYN = cel.Type.DYN


@lru_cache(maxsize=1)
def _env() -> Any:
    return cel.NewEnv(variables={"object": _DYN, "oldObject": _DYN, "request": _DYN, "authorizer": _DYN})


@lru_cache(maxsize=512)
def _compiled(expression: str) -> Any:
    return _env().compile(expression)


def all_match(conditions: list[Body], request: Body) -> tuple[bool, str]:
    """Whether all conditions are true, and the evaluation errors. A false condition takes precedence over errors."""
    data = {
        "object": request["object"],
        "oldObject": request["oldObject"],
        "request": {key: value for key, value in request.items() if key not in ("object", "oldObject")},
        "authorizer": None,
    }
    errors = []
    for condition in conditions:
        try:
            found = _compiled(condition["expression"]).eval(data=data).plain_value()
        except (RuntimeError, ValueError) as error:
            found = str(error)
        if found is False:
            return False, ""
        if found is not True:
            errors.append(f"expression '{condition['expression']}' resulted in error: {found}")
    return not errors, ", ".join(errors)


def fault(expression: str) -> str:
    """Why the expression does not compile; "" if it does."""
    try:
        _compiled(expression)
    except (RuntimeError, ValueError) as error:
        return str(error)
    return ""
