"""Decides and applies in rounds until the API server refuses nothing."""

from collections.abc import Callable, Mapping
from typing import Final

from controller.cluster.apply import Applier
from controller.cluster.errors import StaleError
from controller.decision import Child, Decision, Refusal
from controller.runtime.refusals import Refusals
from shared.key import Key
from shared.kinds import Kind
from shared.model.types import Body

ROUNDS: Final = 4


async def decide_and_apply(
    applier: Applier,
    refusals: Refusals,
    kind: Kind,
    key: Key,
    decide: Callable[[Mapping[Child, Refusal]], tuple[Body, Decision]],
) -> float | None:
    """Apply what `decide` returns. If an action is refused, observe and decide again with the refusals known.

    `decide` takes the refusals, reads the caches and returns the observed object with its decision. It must not repeat
    an action that has just been refused. Returns the seconds after which to reconcile again, or None. Raises StaleError
    when actions are still refused after the last round, and what Applier.apply raises.
    """
    for _ in range(ROUNDS):
        body, decision = decide(refusals.of(key))
        outcome = await applier.apply(kind, body, decision)
        refusals.record(key, decision, outcome)
        if outcome.done:
            return decision.requeue_after
    raise StaleError(f"{kind.kind} {key}: actions are still refused after {ROUNDS} rounds")
