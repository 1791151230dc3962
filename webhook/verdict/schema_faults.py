"""Schema faults of an object that reached us all the same, each with its path (jobflow-api.md 10).

The API server judges the schema before validating webhooks run, so this is for linting and for clusters whose CRDs are
looser than ours. It costs nothing until something does not fit the models.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import Any, Final

import jsonschema

from shared.crd.definitions import DEFINITIONS
from shared.crd.schema import kind_schema
from shared.kinds import COMMAND, Kind
from shared.violation import Reason, Violation
from webhook.hints.names import supported_values

_MOST: Final = 200
_VALUES: Final = 20_000  # of an object that is judged by its whole schema; of a larger one the first fault is told


def schema_faults(kind: Kind, body: dict[str, Any], otherwise: str) -> tuple[Violation, ...]:
    """Every schema fault of `body`; if the schema finds none, the one that the model found: `otherwise`."""
    faults: tuple[Violation, ...] = ()
    if not _too_large(body):
        with suppress(RecursionError):
            errors = islice(_validator(kind).iter_errors(_without_nulls(body)), _MOST)
            faults = tuple(violation for error in errors for violation in _violations(error))
    return faults or (_from_model(otherwise, "" if kind == COMMAND else "spec"),)


@cache
def _validator(kind: Kind) -> Any:
    definition = next(definition for definition in DEFINITIONS if definition.kind == kind)
    return jsonschema.Draft202012Validator(kind_schema(definition.model, definition.mode))


def _violations(error: jsonschema.ValidationError) -> Iterator[Violation]:
    path = _path(error.absolute_path)
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


# The API server's own wording (kube-openapi/pkg/validation/errors).
_TEXTS: Final[dict[str, Callable[[Any, Any], tuple[str, Reason]]]] = {
    "enum": _supported,
    "type": lambda wanted, value: (f"must be of type {wanted}", Reason.INVALID),
    "minimum": lambda wanted, value: (f"should be greater than or equal to {wanted}", Reason.INVALID),
    "maximum": lambda wanted, value: (f"should be less than or equal to {wanted}", Reason.INVALID),
    "minLength": lambda wanted, value: (f"should be at least {wanted} chars long", Reason.INVALID),
    "maxLength": lambda wanted, value: (f"may not be more than {wanted} bytes", Reason.TOO_LONG),
    "minItems": lambda wanted, value: (f"should have at least {wanted} items", Reason.INVALID),
    "pattern": lambda wanted, value: (f"should match '{wanted}'", Reason.INVALID),
}


def _from_model(text: str, root: str) -> Violation:
    """msgspec says "Expected `int`, got `str` - at `$.flows[0].x`"."""
    message, _, path = text.partition(" - at `$")
    return Violation(f"{root}{path.rstrip('`')}".removeprefix("."), message)


def _too_large(body: Any) -> bool:
    count, waiting = 0, [body]
    while waiting and count <= _VALUES:
        value = waiting.pop()
        count += 1
        if isinstance(value, dict | list):
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return count > _VALUES


def _path(parts: Any) -> str:
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".")


def _without_nulls(value: Any) -> Any:
    """The API server drops nulls of fields that are not nullable before it validates."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
