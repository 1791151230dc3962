"""Evaluates metav1.LabelSelector."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from shared.podtemplate.field import Field
from shared.violation import Reason, Violation

_FIELDS: Final = ("matchLabels", "matchExpressions")

_OPERATORS: Final[Mapping[str, Callable[[str | None, list[str]], bool]]] = {
    "In": lambda value, values: value is not None and value in values,
    "NotIn": lambda value, values: value is None or value not in values,
    "Exists": lambda value, values: value is not None,
    "DoesNotExist": lambda value, values: value is None,
}


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether the labels match. An absent or empty selector selects everything, an unknown operator nothing."""
    selector = selector or {}
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(rule, labels) for rule in selector.get("matchExpressions") or ())


def selector_keys(selector: Mapping[str, Any] | None) -> frozenset[str]:
    """The keys of the labels that a selector reads."""
    selector = selector or {}
    expressions = selector.get("matchExpressions") or ()
    return frozenset((*(selector.get("matchLabels") or {}), *(str(each.get("key")) for each in expressions)))


def unknown_fields(selector: Field) -> Iterator[Violation]:
    """The CRD keeps unknown fields of selectors, so a mistake such as `matchLabel` would silently select everything."""
    for key in selector.keys:
        if key not in _FIELDS:
            message = f"unknown field; known: {', '.join(_FIELDS)}"
            yield Violation(f"{selector.path}.{key}", message, reason=Reason.FORBIDDEN)


def _holds(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    operator = _OPERATORS.get(rule.get("operator", ""))
    return operator is not None and operator(labels.get(rule.get("key", "")), rule.get("values") or [])
