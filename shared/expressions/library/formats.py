"""Named formats of Kubernetes' CEL library: the errors of a value that does not have a format."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Final

from shared.expressions.library.urls import parse

_LABEL: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED: Final = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"


def _pattern(pattern: str, most: int, message: str) -> Callable[[str], Iterable[str]]:
    compiled = re.compile(pattern, re.ASCII)

    def check(text: str) -> Iterable[str]:
        if len(text) > most:
            yield f"must be no more than {most} characters"
        if not compiled.fullmatch(text):
            yield message

    return check


def _prefix(check: Callable[[str], Iterable[str]]) -> Callable[[str], Iterable[str]]:
    """A prefix for generated names: a trailing dash is followed by more characters."""
    return lambda text: check(text[:-1] + "a" if text.endswith("-") else text)


def _qualified_name(text: str) -> Iterable[str]:
    prefix, slash, name = text.rpartition("/")
    if slash:
        yield from (f"prefix part {fault}" for fault in _SUBDOMAIN(prefix))
    if len(name) > 63 or not re.fullmatch(_QUALIFIED, name, re.ASCII):
        yield "name part must consist of alphanumeric characters, '-', '_' or '.', and have at most 63 characters"


def _uri(text: str) -> Iterable[str]:
    try:
        parse(text)
    except ValueError as error:
        yield str(error)


def _byte(text: str) -> Iterable[str]:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        yield "invalid base64"


def _date(text: str) -> Iterable[str]:
    try:
        valid = bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII)) and bool(date.fromisoformat(text))
    except ValueError:
        valid = False
    if not valid:
        yield "invalid date"


def _datetime(text: str) -> Iterable[str]:
    pattern = r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)"
    try:
        valid = bool(re.fullmatch(pattern, text, re.ASCII)) and bool(datetime.fromisoformat(text[:19].upper()))
    except ValueError:
        valid = False
    if not valid:
        yield "invalid datetime"


_DNS1123_LABEL: Final = _pattern(
    _LABEL, 63, "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'"
)
_SUBDOMAIN: Final = _pattern(
    rf"{_LABEL}(\.{_LABEL})*",
    253,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'",
)
_DNS1035_LABEL: Final = _pattern(
    r"[a-z]([-a-z0-9]*[a-z0-9])?",
    63,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-' and start with a letter",
)
FORMATS: Final[dict[str, Callable[[str], Iterable[str]]]] = {
    "dns1123Label": _DNS1123_LABEL,
    "dns1123Subdomain": _SUBDOMAIN,
    "dns1035Label": _DNS1035_LABEL,
    "qualifiedName": _qualified_name,
    "dns1123LabelPrefix": _prefix(_DNS1123_LABEL),
    "dns1123SubdomainPrefix": _prefix(_SUBDOMAIN),
    "dns1035LabelPrefix": _prefix(_DNS1035_LABEL),
    "labelValue": _pattern(
        rf"({_QUALIFIED})?", 63, "a valid label must consist of alphanumeric characters, '-', '_' or '.'"
    ),
    "uri": _uri,
    "uuid": _pattern(
        r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}", 36, "does not match UUID"
    ),
    "byte": _byte,
    "date": _date,
    "datetime": _datetime,
}
"""By name. Each yields what is wrong with a text."""


def faults(name: str, text: str) -> list[str]:
    """Raises ValueError for an unknown format."""
    if name not in FORMATS:
        raise ValueError(f"unknown format {name[:60]!r}")
    return list(FORMATS[name](text))
