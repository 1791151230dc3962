"""Scopes: the variables and names that an expression may use, which depend on the field that holds it.

See docs/design/jobflow-api.md, sections 3.4 and 9.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec


class ScopeKind(StrEnum):
    """The set of variables. Each kind has one CEL environment."""

    FLOW = "flow"  # `if`, switch.value, for.expression: steps, params, flow
    LOOP = "loop"  # for.while and patches of a looping step: also item, index, last
    ITEM = "item"  # for.if: also item, index
    RETRY = "retry"  # retry.if: also attempt
    SCHEDULE = "schedule"  # `when` of a CronJobFlow: schedule, last
    POLICY = "policy"  # rules of a JobFlowPolicy: object, oldObject, request, namespaceObject, variables


POLICY_VARIABLES: Final = ("object", "oldObject", "request", "namespaceObject", "variables")


class Scope(msgspec.Struct, frozen=True):
    """The names that an expression may use. Created by flow_scope, item_scope, retry_scope and policy_scope.

    `steps`: all steps; `upstream`: those that end before the expression is evaluated; `outputs`: the declared outputs of
    each step that has any; `own_outputs`: those of the looping step itself (for `last`); `variables`: of a policy.
    """

    kind: ScopeKind
    steps: frozenset[str] = frozenset()
    upstream: frozenset[str] = frozenset()
    outputs: Mapping[str, Iterable[str]] = {}
    own_outputs: frozenset[str] = frozenset()
    params: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()


def flow_scope(
    steps: Iterable[str],
    upstream: Iterable[str],
    outputs: Mapping[str, Iterable[str]] | None = None,
    params: Iterable[str] = (),
    *,
    loop: bool = False,
    own_outputs: Iterable[str] = (),
) -> Scope:
    """The scope of a step's expression. Frozen sets are not copied, so the steps of a flow can share them.

    `loop`: the expression is evaluated for each iteration and has the variables `item`, `index` and `last`."""
    return _scope(ScopeKind.LOOP if loop else ScopeKind.FLOW, steps, upstream, outputs, params, own_outputs)


def item_scope(
    steps: Iterable[str],
    upstream: Iterable[str],
    outputs: Mapping[str, Iterable[str]] | None = None,
    params: Iterable[str] = (),
) -> Scope:
    """The scope of `for.if`: as in a step's expression, plus `item` and `index`."""
    return _scope(ScopeKind.ITEM, steps, upstream, outputs, params, ())


def retry_scope(
    steps: Iterable[str],
    upstream: Iterable[str],
    outputs: Mapping[str, Iterable[str]] | None = None,
    params: Iterable[str] = (),
) -> Scope:
    """The scope of `retry.if`: as in a step's expression, plus `attempt`."""
    return _scope(ScopeKind.RETRY, steps, upstream, outputs, params, ())


def policy_scope(variables: Iterable[str] = ()) -> Scope:
    """The scope of policy rules: `object`, `oldObject`, `request`, `namespaceObject` and `variables`, all untyped."""
    return Scope(ScopeKind.POLICY, variables=frozenset(variables))


def schedule_scope() -> Scope:
    """The scope of `when` of a CronJobFlow: `schedule` (timestamps `time`, `previousTime`) and `last` (texts)."""
    return _SCHEDULE


def _scope(
    kind: ScopeKind,
    steps: Iterable[str],
    upstream: Iterable[str],
    outputs: Mapping[str, Iterable[str]] | None,
    params: Iterable[str],
    own_outputs: Iterable[str],
) -> Scope:
    return Scope(kind, frozenset(steps), frozenset(upstream), outputs or {}, frozenset(own_outputs), frozenset(params))


_SCHEDULE: Final = Scope(ScopeKind.SCHEDULE)
