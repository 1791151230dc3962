"""Pieces of CEL. Expressions are texts; a name of a variable is chosen by whoever iterates."""

from typing import Final

EMPTY_LIST: Final = "[]"
EMPTY_MAP: Final = "{}"
EMPTY_TEXT: Final = "''"


def quoted(text: str) -> str:
    """A string literal. The texts are constants of this package, without quotes and backslashes."""
    return f"'{text}'"


def field(holder: str, name: str, otherwise: str) -> str:
    """A field whose type the CRD's schema guarantees."""
    return f"(has({holder}.{name}) ? {holder}.{name} : {otherwise})"


def untyped(holder: str, name: str, kind: str, otherwise: str) -> str:
    """A field of an untyped map, such as a pod template; a value of another type reads as absent. `kind`: a CEL type.

    An evaluation that fails is no refusal, so a value of a wrong type must not make one fail.
    """
    path = f"{holder}.{name}"
    return f"(type({holder}) == map && has({path}) && type({path}) == {kind} ? {path} : {otherwise})"


def flat(nested: str) -> str:
    """The strings of a list of texts that `joined` has made, without empty ones."""
    return f"{joined(nested)}.split('\\n').filter(v, v != '')"


def joined(texts: str) -> str:
    """One text of all strings of a list: CEL has no function in Kubernetes 1.30 that flattens lists."""
    return f"{texts}.join('\\n')"


def fits_one(text: str, pattern: str) -> str:
    """Whether a text matches a pattern with the wildcards * and ?. Patterns contain no other operators."""
    expression = f"'(?s)^' + {pattern}.replace('.', '\\\\.').replace('*', '.*').replace('?', '.') + '$'"
    wild = f"({pattern}.contains('*') || {pattern}.contains('?')) && {text}.matches({expression})"
    return f"({pattern} == '*' || {pattern} == {text} || ({wild}))"


def fits(text: str, patterns: str) -> str:
    """Whether a text matches one of the patterns."""
    return f"{patterns}.exists(p, {fits_one(text, 'p')})"
