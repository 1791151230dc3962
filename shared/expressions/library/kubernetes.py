"""Kubernetes' CEL functions for policies: declarations, and implementations in Python.

The CEL library has neither these functions nor opaque types. A quantity is therefore a double, and an IP address, a CIDR
block, a URL and a semantic version is its canonical text; their functions are the same as in Kubernetes. Frequent
functions are replaced by native CEL before they run (`syntax.rewrite`), so their implementations here are only used where
the types are not known in advance. The others run in Python, which leaks their arguments: texts above LONGEST are refused
before they get here.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from cel_expr_python import cel

from shared.expressions.library import addresses, formats, urls, versions

LONGEST: Final = 1024
"""The longest text that functions in Python accept, in characters."""

_S: Final = cel.Type.STRING
_D: Final = cel.Type.DOUBLE
_I: Final = cel.Type.INT
_B: Final = cel.Type.BOOL
_ANY: Final = cel.Type.DYN
_LIST: Final = cel.Type.List(cel.Type.DYN)
_TEXTS: Final = cel.Type.List(cel.Type.STRING)
_QUERY: Final = cel.Type.Map(cel.Type.STRING, cel.Type.List(cel.Type.STRING))
_NANO: Final = 1e9

Overloads = dict[str, list[tuple[str, bool, Any, Sequence[Any], Callable[..., Any]]]]
"""Function -> (overload, member, result, parameters, implementation)."""


def _rounded(value: float) -> float:
    """To whole nano-units, in which Kubernetes computes; large values have none."""
    return round(value * _NANO) / _NANO if abs(value) < 9e6 else value


def _whole(value: float) -> int:
    if not value.is_integer() or abs(value) >= 2.0**63:
        raise ValueError("the quantity is not an integer of 64 bits")
    return int(value)


def _compare(one: Any, other: Any) -> int:
    return int(one > other) - int(one < other)


def _total(values: list[Any]) -> Any:
    if not values:
        return 0
    total = values[0]
    for value in values[1:]:
        total += value
    return total


def _index(values: list[Any], value: Any) -> int:
    return values.index(value) if value in values else -1


def _last_index(values: list[Any], value: Any) -> int:
    return max((index for index, each in enumerate(values) if each == value), default=-1)


def _canonical(text: str) -> bool:
    return str(addresses.address(text)) == text


def _not_literal(*args: Any) -> Any:
    raise ValueError("the pattern must be a literal")


_OVERLOADS: Final[Overloads] = {
    "isLessThan": [
        ("quantity_less", True, _B, (_D, _D), lambda one, other: one < other),
        ("semver_less", True, _B, (_S, _S), lambda one, other: versions.compare(one, other) < 0),
    ],
    "isGreaterThan": [
        ("quantity_greater", True, _B, (_D, _D), lambda one, other: one > other),
        ("semver_greater", True, _B, (_S, _S), lambda one, other: versions.compare(one, other) > 0),
    ],
    "compareTo": [
        ("quantity_compare", True, _I, (_D, _D), _compare),
        ("semver_compare", True, _I, (_S, _S), versions.compare),
    ],
    "add": [
        ("quantity_add", True, _D, (_D, _D), lambda one, other: _rounded(one + other)),
        ("quantity_add_int", True, _D, (_D, _I), lambda one, other: _rounded(one + other)),
    ],
    "sub": [
        ("quantity_sub", True, _D, (_D, _D), lambda one, other: _rounded(one - other)),
        ("quantity_sub_int", True, _D, (_D, _I), lambda one, other: _rounded(one - other)),
    ],
    "isInteger": [("quantity_is_integer", True, _B, (_D,), lambda value: value.is_integer() and abs(value) < 2.0**63)],
    "asInteger": [("quantity_as_integer", True, _I, (_D,), _whole)],
    "asApproximateFloat": [("quantity_as_float", True, _D, (_D,), lambda value: value)],
    "sign": [("quantity_sign", True, _I, (_D,), lambda value: _compare(value, 0.0))],
    "sum": [("list_sum", True, _ANY, (_LIST,), _total)],
    "min": [("list_min", True, _ANY, (_LIST,), min)],
    "max": [("list_max", True, _ANY, (_LIST,), max)],
    "isSorted": [("list_is_sorted", True, _B, (_LIST,), lambda values: sorted(values) == values)],
    "indexOf": [("list_index_of", True, _I, (_LIST, _ANY), _index)],
    "lastIndexOf": [("list_last_index_of", True, _I, (_LIST, _ANY), _last_index)],
    "find": [("string_find", True, _S, (_S, _S), _not_literal)],
    "findAll": [
        ("string_find_all", True, _TEXTS, (_S, _S), _not_literal),
        ("string_find_all_limit", True, _TEXTS, (_S, _S, _I), _not_literal),
    ],
    "isQuantity": [("string_is_quantity", False, _B, (_S,), _not_literal)],
    "url": [("string_to_url", False, _S, (_S,), lambda text: urls.parse(text) and text)],
    "isURL": [("string_is_url", False, _B, (_S,), urls.is_url)],
    "getScheme": [("url_scheme", True, _S, (_S,), lambda text: urls.parse(text).scheme)],
    "getHost": [("url_host", True, _S, (_S,), lambda text: urls.parse(text).host)],
    "getHostname": [("url_hostname", True, _S, (_S,), lambda text: urls.parse(text).hostname)],
    "getPort": [("url_port", True, _S, (_S,), lambda text: urls.parse(text).port)],
    "getEscapedPath": [("url_path", True, _S, (_S,), lambda text: urls.parse(text).path)],
    "getQuery": [("url_query", True, _QUERY, (_S,), lambda text: urls.query_values(urls.parse(text)))],
    "ip": [
        ("string_to_ip", False, _S, (_S,), lambda text: str(addresses.address(text))),
        ("cidr_ip", True, _S, (_S,), lambda text: str(addresses.block(text)[0])),
    ],
    "isIP": [("string_is_ip", False, _B, (_S,), addresses.is_address)],
    "ip.isCanonical": [("ip_is_canonical", False, _B, (_S,), _canonical)],
    "family": [("ip_family", True, _I, (_S,), lambda text: addresses.address(text).version)],
    "isUnspecified": [("ip_unspecified", True, _B, (_S,), lambda text: addresses.address(text).is_unspecified)],
    "isLoopback": [("ip_loopback", True, _B, (_S,), lambda text: addresses.address(text).is_loopback)],
    "isLinkLocalUnicast": [("ip_link_local", True, _B, (_S,), lambda text: addresses.address(text).is_link_local)],
    "isLinkLocalMulticast": [
        (
            "ip_link_local_multicast",
            True,
            _B,
            (_S,),
            lambda text: addresses.is_link_local_multicast(addresses.address(text)),
        )
    ],
    "isGlobalUnicast": [
        ("ip_global_unicast", True, _B, (_S,), lambda text: addresses.is_global_unicast(addresses.address(text)))
    ],
    "cidr": [("string_to_cidr", False, _S, (_S,), addresses.block_text)],
    "isCIDR": [("string_is_cidr", False, _B, (_S,), addresses.is_block)],
    "containsIP": [("cidr_contains_ip", True, _B, (_S, _S), addresses.contains_address)],
    "containsCIDR": [("cidr_contains_cidr", True, _B, (_S, _S), addresses.contains_block)],
    "masked": [("cidr_masked", True, _S, (_S,), lambda text: str(addresses.block(text)[1]))],
    "prefixLength": [("cidr_prefix_length", True, _I, (_S,), lambda text: addresses.block(text)[1].prefixlen)],
    "semver": [
        ("string_to_semver", False, _S, (_S,), lambda text: str(versions.version(text))),
        ("string_bool_to_semver", False, _S, (_S, _B), lambda text, normalize: str(versions.version(text, normalize))),
    ],
    "isSemver": [
        ("string_is_semver", False, _B, (_S,), versions.is_version),
        ("string_bool_is_semver", False, _B, (_S, _B), versions.is_version),
    ],
    "major": [("semver_major", True, _I, (_S,), lambda text: versions.version(text).major)],
    "minor": [("semver_minor", True, _I, (_S,), lambda text: versions.version(text).minor)],
    "patch": [("semver_patch", True, _I, (_S,), lambda text: versions.version(text).patch)],
    "format.named": [("format_named", False, _ANY, (_S,), _not_literal)],
    "validate": [("format_validate", True, _ANY, (_S, _S), _not_literal)],
    "formatFaults": [("format_faults", False, _TEXTS, (_S, _S), formats.faults)],
    **{f"format.{name}": [(f"format_{name}", False, _S, (), lambda name=name: name)] for name in formats.FORMATS},
}


OF_TEXTS: Final[dict[str, tuple[str, bool, tuple[str, ...]]]] = {
    overload: (name, member, tuple("bool" if each == _B else "string" for each in parameters))
    for name, overloads in _OVERLOADS.items()
    for overload, member, _, parameters, implementation in overloads
    if parameters and parameters[0] == _S and implementation is not _not_literal and name != "formatFaults"
}
"""The overloads that run in Python on texts: their function, whether they are members, and the types of parameters."""


def _bounded(implementation: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        if any(isinstance(arg, str) and len(arg) > LONGEST for arg in args):
            raise ValueError(f"a text has more than {LONGEST} characters")
        return implementation(*args)

    return call


def _declaration(name: str) -> Any:
    return cel.FunctionDecl(
        name,
        [
            cel.Overload(
                overload,
                return_type=result,
                parameters=list(parameters),
                is_member=member,
                impl=_bounded(implementation),
            )
            for overload, member, result, parameters, implementation in _OVERLOADS[name]
        ],
    )


def extension() -> Any:
    """The functions as an extension of the CEL library. Unlike plain functions it may add overloads to existing names."""
    return cel.CelExtension("kubernetes", [_declaration(name) for name in _OVERLOADS])
