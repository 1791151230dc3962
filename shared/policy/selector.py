"""Evaluates metav1.LabelSelector."""

from collections.abc import Callable, Mapping
from typing import Any, Final

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


def _holds(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    operator = _OPERATORS.get(rule.get("operator", ""))
    return operator is not None and operator(labels.get(rule.get("key", "")), rule.get("values") or [])
