"""Remembers which actions the API server refused, so that the next decision knows it and does not repeat them at once.

In memory only: after a restart the API server is asked again.
"""

from collections.abc import Mapping

from controller.cluster.apply import Outcome
from controller.decision import Child, Decision, Refusal, add_refusals, name_of
from shared.key import Key


class Refusals:
    """Refusals by the key of the reconciled object and by child."""

    def __init__(self) -> None:
        self._by_key: dict[Key, dict[Child, Refusal]] = {}

    def of(self, key: Key) -> Mapping[Child, Refusal]:
        return self._by_key.get(key, {})

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._by_key.pop(key, None)

    def record(self, key: Key, decision: Decision, outcome: Outcome) -> None:
        """Add what was refused, and drop the refusals of actions that have succeeded."""
        known = self._by_key.setdefault(key, {})
        add_refusals(known, outcome.refusals)
        if outcome.done:
            for action in decision.writes:
                child = (action.kind, name_of(action))
                if child not in outcome.refusals:
                    known.pop(child, None)
        if not known:
            del self._by_key[key]
