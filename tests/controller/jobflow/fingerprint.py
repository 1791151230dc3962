"""A value that is equal for two objects exactly if everything reachable from them is equal."""

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.expressions import Program


def fingerprint(value: Any) -> Any:
    """Nested tuples of all that `value` holds. Compiled expressions are compared by identity."""
    if value is None or isinstance(value, str | int | float | Program):
        return value
    if isinstance(value, Mapping):
        return tuple((fingerprint(key), fingerprint(one)) for key, one in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(fingerprint, value))
    if isinstance(value, set | frozenset):
        return frozenset(map(fingerprint, value))
    if isinstance(value, msgspec.Struct):
        fields = type(value).__struct_fields__
        return (type(value).__name__, *(fingerprint(getattr(value, field)) for field in fields))
    if value is msgspec.UNSET:
        return "unset"
    return (type(value).__name__, fingerprint(vars(value)))
