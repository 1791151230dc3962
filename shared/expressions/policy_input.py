"""The variables of policy rules for one request."""

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.expressions.scope import POLICY_VARIABLES, ScopeKind


class PolicyInput:
    """The variables of the policy rules for one request, converted once for all rules."""

    def __init__(self, size: int, variables: Mapping[str, Any]) -> None:
        """`size`: bytes of the request; `variables`: object, oldObject, request, namespaceObject, variables as decoded JSON.

        Absent variables are null.
        """
        self.size = size
        self.variables = variables
        self._data = {name: variables.get(name) for name in POLICY_VARIABLES}
        self._activation: Any = None
        self._longest_list: int | None = None

    def with_variables(self, values: Mapping[str, Any]) -> "PolicyInput":
        """The same request with the variables of a policy."""
        size = self.size + len(msgspec.json.encode(values))
        return PolicyInput(size, {**self.variables, "variables": values})

    @property
    def activation(self) -> Any:
        """The variables in the library's form."""
        if self._activation is None:
            from shared.expressions.environment import environment  # loads the CEL library

            self._activation = environment(ScopeKind.POLICY).Activation(self._data)
        return self._activation

    @property
    def longest_list(self) -> int:
        """The number of elements in the longest list or map at any level."""
        if self._longest_list is None:
            self._longest_list = max(_widest(value) for value in self._data.values())
        return self._longest_list


def _widest(value: Any) -> int:
    widest, pending = 0, [value]
    while pending:
        found = pending.pop()
        if isinstance(found, dict):
            widest = max(widest, len(found))
            pending.extend(found.values())
        elif isinstance(found, list):
            widest = max(widest, len(found))
            pending.extend(found)
    return widest
