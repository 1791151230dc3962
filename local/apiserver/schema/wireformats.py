"""Strings that Go decodes to other types: times and base64, with the texts of its errors."""

import base64
import binascii
import re

from local.apiserver.types.schemas import MICRO
from shared.model.types import Body

_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)$")
_LAYOUT, _MICRO_LAYOUT = "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.000000Z07:00"


def faults(value: str, schema: Body) -> list[str]:
    """The error of Go's decoder for a string with a format, if any."""
    if schema["format"] == "date-time":
        return _time(value, bool(schema.get(MICRO)))
    if schema["format"] == "byte":
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return [f"illegal base64 data at input byte {_first_bad(value)}"]
    return []


def _time(value: str, micro: bool) -> list[str]:
    found = _TIME.match(value)
    layout = _MICRO_LAYOUT if micro else _LAYOUT
    if found is None:
        return [f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"']
    if micro and len(found["fraction"] or "") != 7:
        rest = (found["fraction"] or "") + found["zone"]
        return [f'parsing time "{value}" as "{layout}": cannot parse "{rest}" as ".000000"']
    return []


def _first_bad(value: str) -> int:
    return next((index for index, char in enumerate(value) if not (char.isalnum() or char in "+/=")), len(value))
