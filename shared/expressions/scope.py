"""What an expression may see: which names exist there and what is known of each (jobflow-api.md 3.4 and 9)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec


class ScopeKind(StrEnum):
    """Which set of variables there is; each has one environment."""

    FLOW = "flow"  # `if`, switch.value, for.expression: steps, params, flow
    LOOP = "loop"  # for.while and patches of a looping step: also item, index, last
    RETRY = "retry"  # retry.if: also attempt
    POLICY = "policy"  # rules of a JobFlowPolicy: object, oldObject, request, namespaceObject


class Scope(msgspec.Struct, frozen=True):
    """The names an expression may use. Build one with flow_scope, retry_scope or policy_scope.

    `steps`: every step's name; `upstream`: those that end before this expression is evaluated; `outputs`: the declared
    outputs of each step that has any, `own_outputs` those of the looping step itself (for `last`).
    """

    kind: ScopeKind
    steps: frozenset[str] = frozenset()
    upstream: frozenset[str] = frozenset()
    outputs: Mapping[str, Iterable[str]] = {}
    own_outputs: frozenset[str] = frozenset()
    params: frozenset[str] = frozenset()


def flow_scope(
    steps: Iterable[str],
    upstream: Iterable[str],
    outputs: Mapping[str, Iterable[str]] | None = None,
    params: Iterable[str] = (),
    *,
    loop: bool = False,
    own_outputs: Iterable[str] = (),
) -> Scope:
    """An expression of a step. Frozen sets are taken as they are, so that steps of one flow can share them.

    `loop`: it is evaluated per iteration, so `item`, `index` and `last` exist."""
    return _scope(ScopeKind.LOOP if loop else ScopeKind.FLOW, steps, upstream, outputs, params, own_outputs)


def retry_scope(
    steps: Iterable[str],
    upstream: Iterable[str],
    outputs: Mapping[str, Iterable[str]] | None = None,
    params: Iterable[str] = (),
) -> Scope:
    """`retry.if`: what a step's expression sees, and `attempt`."""
    return _scope(ScopeKind.RETRY, steps, upstream, outputs, params, ())


def policy_scope() -> Scope:
    """A rule of a JobFlowPolicy: `object`, `oldObject`, `request` and `namespaceObject`, all untyped."""
    return _POLICY


def _scope(
    kind: ScopeKind,
    steps: Iterable[str],
    upstream: Iterable[str],
    outputs: Mapping[str, Iterable[str]] | None,
    params: Iterable[str],
    own_outputs: Iterable[str],
) -> Scope:
    return Scope(kind, frozenset(steps), frozenset(upstream), outputs or {}, frozenset(own_outputs), frozenset(params))


_POLICY: Final = Scope(ScopeKind.POLICY)
