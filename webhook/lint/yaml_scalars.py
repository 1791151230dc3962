"""What kubectl sends for the scalars of a YAML document.

kubectl reads YAML by the rules of go-yaml v2, in which `y`, `on` and `0o7` are not text but `12:30` is, and sends JSON.
PyYAML's own rules differ: a value that one of them reads as text would be a fault for the other.
"""

import binascii
import math
import re
from base64 import b64decode
from typing import Any, Final

import yaml

TAG: Final = "tag:yaml.org,2002:"
MERGE: Final = f"{TAG}merge"
_IMPLICIT: Final = "implicit"  # the tag of a scalar that has none in the text
_TEXT: Final = frozenset({f"{TAG}str", f"{TAG}timestamp"})
_SAFE_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ONLY_MERGES: Final = {"<": [(MERGE, re.compile("<<"))]}
_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{f"{sign}{word}": float(f"{sign}inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
}
_INTEGER: Final = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_BASES: Final = (16, 2, 8, 10)
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INT64: Final = 2**63
_UINT64: Final = 2**64
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "null": (type(None),),
    "bool": (bool,),
    "int": (int,),
    "float": (float, int),
}


def loader(text: str) -> Any:
    """A loader that leaves scalars without a tag to `scalar_value`."""
    made = _SAFE_LOADER(text)
    made.DEFAULT_SCALAR_TAG = _IMPLICIT
    made.yaml_implicit_resolvers = _ONLY_MERGES
    return made


def scalar_value(node: yaml.ScalarNode) -> Any:
    """The JSON value of a scalar. Raises ValueError with what is wrong, without the scalar."""
    tag = node.tag.removeprefix(TAG)
    if node.tag in _TEXT or (node.tag == _IMPLICIT and node.style):
        return node.value
    if tag == "binary":
        return _decoded(node.value)
    value = _resolved(node.value)
    if node.tag != _IMPLICIT and tag not in _TYPES:
        return node.value
    if tag in _TYPES and type(value) not in _TYPES[tag]:
        raise ValueError(f"is not {tag}")
    return _as_json(value)


def key_text(node: yaml.ScalarNode) -> str:
    """The key that kubectl sends: keys that are not text are written as JSON. Raises ValueError."""
    value = scalar_value(node)
    if value is None:
        raise ValueError("cannot be a key; write it in quotes")
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def _resolved(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    plain = text if text[0] == "." else text.replace("_", "")
    found = _INTEGER.fullmatch(plain)
    if found is not None:
        sign, *digits = found.groups()
        base, number = next((base, each) for base, each in zip(_BASES, digits, strict=True) if each is not None)
        value = int(f"{sign}{number}", base)
        if -_INT64 <= value < _UINT64:
            return value
    if _FLOAT.fullmatch(plain):
        number_read = float(plain)
        return number_read if math.isfinite(number_read) else text
    return text


def _as_json(value: Any) -> Any:
    """A number as the API server reads it from JSON: a whole float is an integer, a large integer a float."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("is a number that JSON does not have; write it in quotes")
        return int(value) if value.is_integer() and -_INT64 <= value < _INT64 else value
    if isinstance(value, int) and not isinstance(value, bool) and value >= _INT64:
        return float(value)
    return value


def _decoded(text: str) -> str:
    try:
        return b64decode(text).decode(errors="replace")
    except binascii.Error as error:
        raise ValueError("is not base64") from error
