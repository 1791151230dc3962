"""`x-kubernetes-validations` of CRD schemas: CEL rules over `self` and, on update, `oldSelf`."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from cel_expr_python import cel

from local.apiserver.errors import FieldError
from shared.model.types import Body

_DYN = cel.Type.DYN
_CODES = {
    "FieldValueRequired": "Required value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueInvalid": "Invalid value",
}


@lru_cache(maxsize=1)
def _env() -> Any:
    return cel.NewEnv(variables={"self": _DYN, "oldSelf": _DYN})


@lru_cache(maxsize=1024)
def compiled(rule: str) -> Any:
    return _env().compile(rule)


def check(value: Any, old: Any, has_old: bool, schema: Body, path: str) -> Iterator[FieldError]:
    """The rules of this schema node that `value` violates; a rule on `oldSelf` is evaluated only on updates."""
    for rule in schema.get("x-kubernetes-validations") or ():
        text = rule["rule"]
        if "oldSelf" in text and not has_old and not rule.get("optionalOldSelf"):
            continue
        verdict = _verdict(text, value, old)
        if verdict is True:
            continue
        where = path + (rule.get("fieldPath") or "") if path else (rule.get("fieldPath") or "").lstrip(".")
        message = rule.get("message") or f"failed rule: {text}"
        if isinstance(verdict, str):
            message = f"rule compile error or runtime error: {verdict}"
        reason = rule.get("reason") or "FieldValueInvalid"
        shown = f'{_CODES[reason]}: "{_kind(value, schema)}": ' if reason.endswith("Invalid") else f"{_CODES[reason]}: "
        yield FieldError(where, reason, shown + message)


def _verdict(rule: str, value: Any, old: Any) -> bool | str:
    try:
        found = compiled(rule).eval(data={"self": value, "oldSelf": old})
    except (RuntimeError, ValueError) as error:
        return str(error)
    plain = found.plain_value()
    return plain if isinstance(plain, bool) else str(plain)


def _kind(value: Any, schema: Body) -> str:
    return str(schema.get("type") or type(value).__name__)
