"""Evaluates the chart's ValidatingAdmissionPolicies for JobFlowPolicies without an API server, with our CEL library.

What evaluates differently in an API server is found by tests/e2e/real/test_inprocess.py.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from cel_expr_python import cel

from shared.expressions import functions
from shared.expressions.library import kubernetes
from shared.model.types import Body
from webhook.envelope.review import AdmissionReview
from webhook.inprocess.admission_policies import modes, policies

_VARIABLES: Final = ("object", "oldObject", "request", "namespaceObject", "params", "variables")
_MISSING: Final = re.compile(r'Key not found in map : "(\w+)"')
_BETWEEN: Final = re.compile(r'; (?=policy ")')
_LIBRARIES: Final = ("lists", "math", "optional", "regex", "sets", "strings")


@cache
def _environment() -> Any:
    libraries = "".join(f"- name: {each}\n" for each in _LIBRARIES)
    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(f"name: admission\nextensions:\n{libraries}"),
        variables=dict.fromkeys(_VARIABLES, cel.Type.DYN),
        extensions=[kubernetes.extension()],
        functions=[functions.QUANTITY],
    )


@cache
def _compiled(text: str) -> Any:
    return _environment().compile(text)


class _Lazy:
    """The variables of one policy, each evaluated when an expression reads it."""

    def __init__(self, given: Mapping[str, Any], texts: Mapping[str, str]) -> None:
        self._given = given
        self._texts = texts
        self._known: dict[str, Any] = {}

    def evaluate(self, text: str) -> Any:
        """Raises ValueError for an error. A variable that is not there yet is evaluated, then the expression again."""
        while True:
            try:
                return _plain(_compiled(text).eval(data={**self._given, "variables": self._known}))
            except (RuntimeError, LookupError, TypeError, ValueError) as error:
                missing = _MISSING.search(str(error))
                if missing is None or missing[1] not in self._texts or missing[1] in self._known:
                    raise ValueError(str(error)) from error
                self._known[missing[1]] = self.evaluate(self._texts[missing[1]])


def evaluated(text: str, given: Mapping[str, Any], variables: Mapping[str, str]) -> Any:
    """The value of an expression that reads these variables. Raises ValueError where it has none."""
    return _Lazy(given, variables).evaluate(text)


def _plain(value: Any) -> Any:
    """Raises ValueError for an error."""
    if value.type() == cel.Type.NULL:
        return None
    found = value.value()
    if value.type() == cel.Type.ERROR:
        raise ValueError(str(found))
    if isinstance(found, list):
        return [_plain(each) for each in found]
    return {key: _plain(each) for key, each in found.items()} if isinstance(found, dict) else found


def refusals(review: AdmissionReview, namespace: Body, params: Body, mode: str = "Enforce") -> list[str]:
    """The sentences of the ValidatingAdmissionPolicy of that mode about the object, with one JobFlowPolicy as `params`."""
    given = {
        "object": review.object,
        "oldObject": review.old_object,
        "params": params,
        "namespaceObject": namespace,
        "request": {
            "kind": {"group": review.kind.group, "version": review.kind.version, "kind": review.kind.kind},
            "operation": review.operation.value,
            "namespace": review.namespace,
            "userInfo": {"username": review.user_info.username, "groups": list(review.user_info.groups)},
        },
    }
    condition = next(each.condition for each in modes() if each.mode == mode)
    found: list[str] = []
    for policy in policies():
        spec = policy["spec"]
        if not any(_is_about(rule, review) for rule in spec["matchConstraints"]["resourceRules"]):
            continue
        lazy = _Lazy(given, {each["name"]: each["expression"] for each in spec["variables"]})
        try:
            if not all(
                lazy.evaluate(each) for each in (condition, *(each["expression"] for each in spec["matchConditions"]))
            ):
                continue
        except ValueError:
            continue
        for validation in spec["validations"]:
            try:
                if not lazy.evaluate(validation["expression"]):
                    found.extend(_BETWEEN.split(lazy.evaluate(validation["messageExpression"])))
            except ValueError:
                continue
    return found


def _is_about(rule: Body, review: AdmissionReview) -> bool:
    return rule["apiGroups"] == [review.kind.group] and rule["resources"] == [f"{review.kind.kind.lower()}s"]
