"""Decide and apply until nothing is refused, remembering refusals so that the next decision knows them."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from controller.cluster.apply import Applier, Child, Outcome, name_of
from controller.cluster.errors import StaleError
from controller.decision import Decision, Refusal
from shared.key import Key
from shared.kinds import Kind
from shared.model.types import Body

ROUNDS: Final = 4


class Refusals:
    """What the API server refused, by key. In memory only: after a restart it is asked again."""

    def __init__(self) -> None:
        self._by_key: dict[Key, dict[Child, Refusal]] = {}

    def of(self, key: Key) -> Mapping[Child, Refusal]:
        return self._by_key.get(key, {})

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._by_key.pop(key, None)

    def note(self, key: Key, decision: Decision, outcome: Outcome) -> None:
        """Remember what was refused, with its count in a row, and forget what went through."""
        known = self._by_key.setdefault(key, {})
        for child, refusal in outcome.refusals.items():
            before = known.get(child)
            known[child] = msgspec.structs.replace(refusal, count=before.count + 1 if before else 1)
        if outcome.done:
            for action in (*decision.actions, *decision.cleanup):
                child = (action.kind, name_of(action))
                if child not in outcome.refusals:
                    known.pop(child, None)
        if not known:
            del self._by_key[key]


async def settle(
    applier: Applier,
    memory: Refusals,
    kind: Kind,
    key: Key,
    decide: Callable[[Mapping[Child, Refusal]], tuple[Body, Decision]],
) -> float | None:
    """Apply what `decide` says; if an action is refused, let it observe and decide again, knowing the refusals.

    `decide` takes the refusals, reads the caches and returns the object it observed with its decision. A decider must
    not order again at once what was just refused. Returns the seconds after which to look again, or None.
    """
    for _ in range(ROUNDS):
        body, decision = decide(memory.of(key))
        outcome = await applier.apply(kind, body, decision)
        memory.note(key, decision, outcome)
        if outcome.done:
            return decision.requeue_after
    raise StaleError(f"{kind.kind} {key}: refused again and again")
