"""Reports type errors in terms of the API (string, boolean, integer, list, object), with a remedy. Pure.

The library that converts objects into models reports Python's types: "Expected `str`, got `bool` - at `$.spec.x`".
"""

import re
from typing import Final

_EXPECTED: Final = re.compile(r"^Expected `(?P<wanted>[^`]+)`(?P<limit>.*?)(?:, got `(?P<found>[^`]+)`)?$", re.DOTALL)
_MISSING: Final = re.compile(r"^Object missing required field `(?P<name>[^`]+)`$")
_UNKNOWN: Final = re.compile(r"^Object contains unknown field `(?P<name>[^`]+)`$")
_ENUM: Final = re.compile(r"^Invalid enum value (?P<value>.*)$", re.DOTALL)
_WORDS: Final = {
    "str": "string",
    "bool": "boolean",
    "int": "integer",
    "float": "number",
    "array": "list",
    "object": "object",
    "null": "null",
}
_TYPES: Final = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "list"),
    (dict, "object"),
)
_ARTICLES: Final = {"integer": "an", "object": "an", "null": ""}
_SCALARS: Final = frozenset({"boolean", "integer", "number"})


def split_place(text: str) -> tuple[str, str]:
    """The message of the library without its place, and the place, such as `.flows[0].x`; '' for the object itself."""
    message, _, place = text.partition(" - at `$")
    return message, place.rstrip("`")


def in_api_words(message: str) -> str:
    """The fault without its place. Messages of other kinds stay as they are."""
    if found := _EXPECTED.match(message):
        wanted = [_WORDS.get(name.strip(), name.strip()) for name in found["wanted"].split("|")]
        got = _WORDS.get(found["found"] or "", found["found"] or "")
        said = f"must be {' or '.join(map(_with_article, wanted))}{_limit(found['limit'])}"
        return said + (f", not {_with_article(got)}" if got else "") + remedy(wanted, got)
    if found := _MISSING.match(message):
        return f"the field {found['name']} is required; add it"
    if found := _UNKNOWN.match(message):
        return f"unknown field {found['name']}; remove it"
    if found := _ENUM.match(message):
        return f"{found['value']} is not a supported value"
    return message


def fault_text(text: str, root: str = "") -> str:
    """The whole text of a fault, its place first: `spec.x: must be a string, ...`. `root`: path of the object."""
    message, place = split_place(text)
    path = f"{root}{place}".removeprefix(".")
    return f"{path}: {in_api_words(message)}" if path else in_api_words(message)


def type_of(value: object) -> str:
    """The type of a value in terms of the API."""
    return next((word for kind, word in _TYPES if isinstance(value, kind)), "null")


def remedy(wanted: list[str], found: str) -> str:
    """What to write instead of a value of the type `found`, with a semicolon before it; '' where nothing is certain."""
    if "string" in wanted and found in _SCALARS:
        return "; write the value in quotes"
    if found == "string" and _SCALARS & set(wanted):
        return "; write true or false, without quotes" if "boolean" in wanted else "; write a number, without quotes"
    if found == "list" and wanted == ["object"]:
        return "; write the fields themselves, without a dash"
    if "list" in wanted or "array" in wanted:
        return "; write a list, each item after a dash"
    return "; write its fields below it" if wanted == ["object"] and found else ""


def _with_article(word: str) -> str:
    return f"{_ARTICLES.get(word, 'a')} {word}".strip()


def _limit(text: str) -> str:
    return text.replace("matching regex", "that matches")
