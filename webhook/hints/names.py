"""Formats of names, with Kubernetes' own error texts, and suggestions of similar names."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final

from shared.model.types import IDENTIFIER
from shared.names import MAX_NAME

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.ASCII)
# Possessive, so that no text takes more than linear time.
_LABEL_LINES: Final = re.compile(r"[a-z0-9]++(?:-++[a-z0-9]++)*+(?:\n[a-z0-9]++(?:-++[a-z0-9]++)*+)*+", re.ASCII)
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_QUALIFIED: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]", re.ASCII)
_IDENTIFIER: Final = re.compile(IDENTIFIER, re.ASCII)
_MAX_SUBDOMAIN: Final = 253
_NEAREST_OF: Final = 2000  # maximum number of names that are compared; the comparison is slow

LABEL_FAULT: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN_FAULT: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
QUALIFIED_FAULT: Final = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc')"
)
IDENTIFIER_FAULT: Final = (
    "must be an identifier of at most 63 letters, digits and '_' that does not begin with a digit, so that expressions "
    "can refer to it"
)


def are_labels(texts: Sequence[str]) -> bool:
    """Whether all `texts` are DNS-1123 labels. A fifth of the time of asking for the fault of each."""
    if not texts:
        return True
    lines = "\n".join(texts)
    if max(map(len, texts)) > MAX_NAME or lines.count("\n") >= len(texts):
        return False
    return _LABEL_LINES.fullmatch(lines) is not None


def label_fault(text: str) -> str | None:
    """Why `text` is not a DNS-1123 label, or None."""
    if len(text) > MAX_NAME:
        return f"must be no more than {MAX_NAME} characters"
    return None if _LABEL.fullmatch(text) else LABEL_FAULT


def subdomain_fault(text: str) -> str | None:
    """Why `text` is not a DNS-1123 subdomain (the format of most object names), or None."""
    if len(text) > _MAX_SUBDOMAIN:
        return f"must be no more than {_MAX_SUBDOMAIN} characters"
    return None if _SUBDOMAIN.fullmatch(text) else SUBDOMAIN_FAULT


def qualified_fault(text: str) -> str | None:
    """Why `text` is not a qualified name without prefix (the format of label values), or None."""
    if len(text) > MAX_NAME:
        return f"must be no more than {MAX_NAME} characters"
    return None if _QUALIFIED.fullmatch(text) else QUALIFIED_FAULT


def identifier_fault(text: str) -> str | None:
    """Why expressions cannot refer to `text`, or None."""
    return None if _IDENTIFIER.fullmatch(text) else IDENTIFIER_FAULT


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "c"?`, or '' if no known name is similar."""
    names = list(known)
    folded = {name.lower(): name for name in names[:_NEAREST_OF]}
    near = get_close_matches(word.lower()[:_MAX_SUBDOMAIN], folded, n=1) or _single(word, folded)
    return f'; did you mean "{folded[near[0]]}"?' if near else ""


def supported_values(word: str, known: Iterable[str], what: str = "supported values") -> str:
    """The supported values, after the most similar one: `did you mean "c"? Supported values: "a", "c"`."""
    names = list(known)
    hint = did_you_mean(word, names).removeprefix("; ")
    return f"{hint} {what.capitalize()}: {quoted(names)}" if hint else f"{what}: {quoted(names)}"


def unknown_field_hint(name: str, known: Iterable[str]) -> str:
    """`unknown field; did you mean "command"?`, for a field that the API server drops."""
    return f"unknown field{did_you_mean(name, known) or ', which is ignored'}"


def quoted(words: Iterable[str]) -> str:
    """`"a", "b"`."""
    return ", ".join(f'"{word}"' for word in words)


def _single(word: str, folded: dict[str, str]) -> list[str]:
    """For a name of one letter: the known name of one letter that is nearest in the alphabet."""
    if len(word) != 1:
        return []
    letters = [name for name in folded if len(name) == 1]
    return [min(letters, key=lambda name: abs(ord(name) - ord(word.lower())))] if letters else []
