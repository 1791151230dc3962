"""The Jobs of each namespace that wait for quota, oldest first. In memory only: after a restart each Job tries again."""

from typing import Final

import msgspec

from controller.job.model.observed import JobObservation
from controller.job.model.quota import waits_for_quota
from shared.key import Key
from shared.resources import pod_usage

ACTIVE_SECONDS: Final = 60.0  # a Job that has not tried for so long waits for something else, and no other waits for it


class QuotaWaiter(msgspec.Struct, frozen=True):
    """`created`: the Job's creationTimestamp; `resources`: those that it lacks; `tried_at`: epoch seconds."""

    created: str
    resources: frozenset[str]
    tried_at: float


class QuotaOrder:
    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, QuotaWaiter]] = {}

    def update(self, key: Key, observed: JobObservation) -> str:
        """Note whether the Job waits; the oldest Job before it that waits for something that it needs too, or ""."""
        self.forget(key)
        found, created = waits_for_quota(observed), observed.job.metadata.creation_timestamp or ""
        others = self._waiting.get(key.namespace, {})
        needs = self._needs(observed) if others else frozenset()
        older = [
            (other.created, name)
            for name, other in others.items()
            if (other.created, name) < (created, key.name)
            and other.resources & needs
            and observed.now - other.tried_at < ACTIVE_SECONDS
        ]
        if found is not None:
            exceeded, refusal = found
            waiter = QuotaWaiter(created, frozenset(exceeded.limited), refusal.at)
            self._waiting.setdefault(key.namespace, {})[key.name] = waiter
        return min(older)[1] if older else ""

    def forget(self, key: Key) -> None:
        waiting = self._waiting.get(key.namespace, {})
        waiting.pop(key.name, None)
        if not waiting:
            self._waiting.pop(key.namespace, None)

    @staticmethod
    def _needs(observed: JobObservation) -> frozenset[str]:
        tasks = observed.job.spec.tasks or ()
        return frozenset(name for task in tasks for name in pod_usage(task.template))
