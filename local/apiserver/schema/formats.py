"""The string and number formats that apiextensions validates; unknown ones are ignored."""

import base64
import ipaddress
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Final
from urllib.parse import urlsplit

RANGES: Final = {
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "float": (-3.4028234663852886e38, 3.4028234663852886e38),
}


def _parses(parser: Callable[[str], object]) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        try:
            parser(value)
        except (ValueError, TypeError):
            return False
        return True

    return check


_DATE_TIME = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$")
_DURATION = re.compile(r"^([+-]?\d+(\.\d*)?\s*(ns|us|µs|ms|s|m|h|d|w)[a-z]*\s*)+$|^0$")
_UUID = re.compile(r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$")


def _date_time(value: str) -> bool:
    return bool(_DATE_TIME.match(value)) and _parses(datetime.fromisoformat)(value.upper())


_CHECKS: dict[str, Callable[[str], bool]] = {
    "date-time": _date_time,
    "date": _parses(date.fromisoformat),
    "duration": lambda value: bool(_DURATION.match(value)),
    "uuid": lambda value: bool(_UUID.match(value)),
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "cidr": _parses(ipaddress.ip_interface),
    "byte": _parses(lambda value: base64.b64decode(value, validate=True)),
    "uri": lambda value: bool(urlsplit(value).scheme or value.startswith("/")),
}


def fits(form: str, value: str) -> bool:
    check = _CHECKS.get(form)
    return check is None or check(value)
