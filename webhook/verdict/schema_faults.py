"""Schema errors of an object, each with its path.

The API server checks the schema before validating webhooks run. This module is for `jobflow lint` and for clusters whose
CRDs have a looser schema than ours. It runs only for objects that do not match the models.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from shared.codec.api_words import in_api_words, remedy, split_place, type_of
from shared.crd.definitions import DEFINITIONS
from shared.crd.schema import kind_schema
from shared.kinds import COMMAND, Kind
from shared.violation import Reason, Violation
from webhook.hints.names import supported_values

if TYPE_CHECKING:
    from jsonschema import ValidationError

_MOST: Final = 200
_GRAMMARS: Final = "rfc3987_syntax"
_VALUES: Final = (
    20_000  # larger objects are not checked with the whole schema; only the model's first error is reported
)


def schema_faults(kind: Kind, body: dict[str, Any]) -> tuple[Violation, ...]:
    """All schema errors of `body`; none if it is too large or too deep."""
    with suppress(RecursionError):
        return tuple(violation for error in schema_errors(kind, body) for violation in _violations(error))
    return ()


def schema_errors(kind: Kind, body: dict[str, Any]) -> "list[ValidationError]":
    """The schema errors of `body`; none if it is too large. Raises RecursionError."""
    return [] if _too_large(body) else list(islice(_validator(kind).iter_errors(without_nulls(body)), _MOST))


@cache
def _validator(kind: Kind) -> Any:
    definition = next(definition for definition in DEFINITIONS if definition.kind == kind)
    return load_jsonschema().Draft202012Validator(kind_schema(definition.model, definition.mode))


def load_jsonschema() -> ModuleType:
    """The module jsonschema, without the grammars of the formats "iri" and "iri-reference", which no schema here uses.

    Where the optional package rfc3987-syntax is installed, as by some notebook servers, jsonschema imports it. It builds its
    grammars at import, which takes more than a second and 18 MiB. Others in this process can check those formats: the first
    check loads the grammars.
    """
    if "jsonschema" in sys.modules or _GRAMMARS in sys.modules or find_spec(_GRAMMARS) is None:
        return import_module("jsonschema")
    stand_in = ModuleType(_GRAMMARS)
    vars(stand_in)["is_valid_syntax"] = _is_valid_syntax
    sys.modules[_GRAMMARS] = stand_in
    try:
        return import_module("jsonschema")
    finally:
        if sys.modules.get(_GRAMMARS) is stand_in:
            del sys.modules[_GRAMMARS]


def _is_valid_syntax(*arguments: Any, **options: Any) -> Any:
    return import_module(_GRAMMARS).is_valid_syntax(*arguments, **options)


def _violations(error: "ValidationError") -> Iterator[Violation]:
    path = path_text(error.absolute_path)
    describe = _TEXTS.get(str(error.validator))
    if error.validator == "required":
        missing = error.message.split("'")[1]
        yield Violation(f"{path}.{missing}" if path else missing, "", reason=Reason.REQUIRED)
    elif describe is not None:
        message, reason = describe(error.validator_value, error.instance)
        yield Violation(path, message, error.instance, reason)
    else:
        yield Violation(path, error.message, error.instance)


def _supported(wanted: Any, value: Any) -> tuple[str, Reason]:
    names = [str(name) for name in wanted]
    return supported_values(value if isinstance(value, str) else "", names), Reason.NOT_SUPPORTED


# The API server's own wording (kube-openapi/pkg/validation/errors), for types with what to write instead.
_TEXTS: Final[dict[str, Callable[[Any, Any], tuple[str, Reason]]]] = {
    "enum": _supported,
    "type": lambda wanted, value: (f"must be of type {wanted}{remedy([wanted], type_of(value))}", Reason.INVALID),
    "minimum": lambda wanted, value: (f"should be greater than or equal to {wanted}", Reason.INVALID),
    "maximum": lambda wanted, value: (f"should be less than or equal to {wanted}", Reason.INVALID),
    "minLength": lambda wanted, value: (f"should be at least {wanted} chars long", Reason.INVALID),
    "maxLength": lambda wanted, value: (f"may not be more than {wanted} bytes", Reason.TOO_LONG),
    "maxItems": lambda wanted, value: (f"{len(value)}: must have at most {wanted} items", Reason.TOO_MANY),
    "minItems": lambda wanted, value: (f"should have at least {wanted} items", Reason.INVALID),
    "pattern": lambda wanted, value: (f"should match '{wanted}'", Reason.INVALID),
}


def fault_of_model(kind: Kind, text: str) -> Violation:
    """`text`: the error of the model of the kind's spec; Commands have none, but all fields at the top."""
    message, path = split_place(text)
    return Violation(f"{'' if kind == COMMAND else 'spec'}{path}".removeprefix("."), in_api_words(message))


def _too_large(body: Any) -> bool:
    count, waiting = 0, [body]
    while waiting and count <= _VALUES:
        value = waiting.pop()
        count += 1
        if isinstance(value, dict | list):
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return count > _VALUES


def path_text(parts: Any) -> str:
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".")


def without_nulls(value: Any) -> Any:
    """Drop nulls, as the API server does for fields that are not nullable before it validates."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value
