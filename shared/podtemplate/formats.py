"""Formats of Kubernetes' names and numbers. Each function yields apimachinery's error messages."""

import re
from collections.abc import Iterator
from typing import Final

_DNS_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_DNS_LABEL}(\.{_DNS_LABEL})*"
_NAME_PART: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_CONFIG_KEY: Final = "[-._a-zA-Z0-9]+"
_HEADER: Final = "[-A-Za-z0-9]+"

_PATTERNS: Final = {text: re.compile(text) for text in (_DNS_LABEL, _SUBDOMAIN, _NAME_PART, _CONFIG_KEY, _HEADER)}
_PORT_CHARACTERS: Final = re.compile(r"[-a-z0-9]*")
_LETTER: Final = re.compile("[a-z]")
_PRINTABLE: Final = re.compile(r"[ -<>-~]+")
_MOST_INT32: Final = 2**31 - 1

_LABEL_FAULT: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
    f"alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_DNS_LABEL}')"
)
_SUBDOMAIN_FAULT: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end "
    f"with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_VALUE_FAULT: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_NAME_FAULT: Final = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
    f"'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME_PART}')"
)
_QUALIFIED_FAULT: Final = (
    f"a qualified name {_NAME_FAULT} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)
_KEY_FAULT: Final = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    f"'key-name', regex used for validation is '{_CONFIG_KEY}')"
)
_HEADER_FAULT: Final = (
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation "
    f"is '{_HEADER}')"
)


def _longer(text: str, most: int, unit: str = "characters") -> Iterator[str]:
    if len(text.encode(errors="replace")) > most:
        yield f"must be no more than {most} {unit}"


def dns_label(text: str) -> Iterator[str]:
    yield from _longer(text, 63)
    if not _PATTERNS[_DNS_LABEL].fullmatch(text):
        yield "must not contain dots" if _PATTERNS[_SUBDOMAIN].fullmatch(text) else _LABEL_FAULT


def dns_subdomain(text: str) -> Iterator[str]:
    yield from _longer(text, 253)
    if not _PATTERNS[_SUBDOMAIN].fullmatch(text):
        yield _SUBDOMAIN_FAULT


def qualified_name(text: str) -> Iterator[str]:
    """`name` or `prefix/name`: label and annotation keys, resources, gates, conditions."""
    if text.count("/") > 1:
        yield _QUALIFIED_FAULT
        return
    prefix, slash, name = text.rpartition("/")
    if slash and not prefix:
        yield "prefix part must be non-empty"
    elif slash:
        yield from (f"prefix part {fault}" for fault in dns_subdomain(prefix))
    if not name:
        yield "name part must be non-empty"
    yield from (f"name part {fault}" for fault in _longer(name, 63, "bytes"))
    if name and not _PATTERNS[_NAME_PART].fullmatch(name):
        yield f"name part {_NAME_FAULT}"


def label_value(text: str) -> Iterator[str]:
    yield from _longer(text, 63, "bytes")
    if text and not _PATTERNS[_NAME_PART].fullmatch(text):
        yield _VALUE_FAULT


def port_name(text: str) -> Iterator[str]:
    yield from _longer(text, 15)
    if not _PORT_CHARACTERS.fullmatch(text):
        yield "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not _LETTER.search(text):
        yield "must contain at least one letter (a-z)"
    if "--" in text:
        yield "must not contain consecutive hyphens"
    if text.startswith("-") or text.endswith("-"):
        yield "must not begin or end with a hyphen"


def port_number(number: int) -> Iterator[str]:
    if not 1 <= number <= 65535:
        yield "must be between 1 and 65535, inclusive"


def env_name(text: str) -> Iterator[str]:
    """Kubernetes 1.34 and later accept any printable ASCII except '='."""
    if not _PRINTABLE.fullmatch(text):
        yield "a valid environment variable name must consist only of printable ASCII characters other than '='"


def config_key(text: str) -> Iterator[str]:
    yield from _longer(text, 253)
    if not _PATTERNS[_CONFIG_KEY].fullmatch(text):
        yield _KEY_FAULT
    elif text == ".":
        yield "must not be '.'"
    elif text == "..":
        yield "must not be '..'"
    elif text.startswith(".."):
        yield "must not start with '..'"


def header_name(text: str) -> Iterator[str]:
    if not _PATTERNS[_HEADER].fullmatch(text):
        yield _HEADER_FAULT


def user_id(number: int) -> Iterator[str]:
    if not 0 <= number <= _MOST_INT32:
        yield f"must be between 0 and {_MOST_INT32}, inclusive"


def deadline(number: int) -> Iterator[str]:
    if not 1 <= number <= _MOST_INT32:
        yield f"must be between 1 and {_MOST_INT32}, inclusive"


def not_negative(number: int) -> Iterator[str]:
    if number < 0:
        yield "must be greater than or equal to 0"


def positive(number: int) -> Iterator[str]:
    if number <= 0:
        yield "must be greater than 0"


def above_zero(number: int) -> Iterator[str]:
    """`positive` with the message of newer rules."""
    if number <= 0:
        yield "must be greater than zero"


def search_domain(text: str) -> Iterator[str]:
    """A DNS search path. Underscores, a trailing dot and the root are allowed."""
    if text != ".":
        yield from dns_subdomain(text.removesuffix(".").replace("_", "x"))


def file_mode(number: int) -> Iterator[str]:
    if not 0 <= number <= 0o777:
        yield "must be a number between 0 and 0777 (octal), both inclusive"


def descending_path(text: str) -> Iterator[str]:
    """A path inside a volume."""
    if text.startswith("/"):
        yield "must be a relative path"
    if ".." in text.split("/"):
        yield "must not contain '..'"


def item_path(text: str) -> Iterator[str]:
    """The path for a key of a ConfigMap or Secret. Names that start with '..' are reserved for the kubelet."""
    yield from descending_path(text)
    if text.startswith("..") and not text.startswith("../"):
        yield "must not start with '..'"


def csi_driver(text: str) -> Iterator[str]:
    yield from _longer(text, 63)
    yield from dns_subdomain(text.lower())
