"""What the simulations of quotas share: the book, its policies, exceptions and namespaces, and the keys to reconcile."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Final

from controller.quota.book import QuotaBook
from shared.key import Key
from shared.kube.cache.cache import Cache
from shared.model.types import Body
from shared.timestamp import rfc3339

TEAMS: Final = {"a": "x", "b": "x", "c": "y"}
"""The label `team` of each namespace."""
_ROUNDS: Final = 4000


class QuotaSimulation(ABC):
    """Objects of one kind under a book of quotas. `rule`: the quota that exceptions name; `now`: epoch seconds.

    `queue`: the keys to reconcile, in order; `current`: the key whose own write does not wake it.
    """

    book: QuotaBook

    def __init__(self, rule: str, now: float) -> None:
        self.now = now
        self.version = 1
        self.queue: dict[Key, None] = {}
        self.current: Key | None = None
        self.exceptions: dict[str, Body] = {}
        self.excepted: set[Key] = set()
        self._rule = rule

    @abstractmethod
    def reconcile(self, key: Key) -> None:
        """One pass over an object."""

    def fill(self, objects: Cache, policies: Iterable[Body], stored: Iterable[Body]) -> None:
        """Let a new book know what is stored, and of the changes that follow. `objects`: the cache of the kind."""
        for name, team in TEAMS.items():
            namespace = {"metadata": {"name": name, "uid": name, "resourceVersion": "1", "labels": {"team": team}}}
            self.book.namespaces.assume(namespace)
        for cache, bodies in (
            (self.book.policies, policies),
            (self.book.exceptions, self.exceptions.values()),
            (objects, stored),
        ):
            for body in bodies:
                cache.assume(copy.deepcopy(body))
        objects.on_change(self._wake)
        self.book.exceptions.on_change(self._wake_held)
        self.book.policies.on_change(self._wake_held)

    def _wake(self, old: Body | None, new: Body | None) -> None:
        metadata = (new or old or {})["metadata"]
        if (key := Key(metadata["namespace"], metadata["name"])) != self.current:
            self.queue[key] = None
        self.queue.update(dict.fromkeys(self.book.freed(old, new)))

    def _wake_held(self, old: Body | None, new: Body | None) -> None:
        self.queue.update(dict.fromkeys(self.book.held(old, new)))

    def reconcile_all(self) -> None:
        """Reconcile until no key is left."""
        for _ in range(_ROUNDS):
            if not self.queue:
                return
            self.reconcile(next(iter(self.queue)))
        raise AssertionError("never settles")

    def grant_exception(self, key: Key, seconds: float = 3600) -> None:
        """Allow an object to exceed all quotas for a while."""
        self.version += 1
        name = f"e{self.version}"
        created = {"creationTimestamp": rfc3339(self.now), "resourceVersion": str(self.version)}
        self.exceptions[name] = {
            "metadata": {"name": name, "namespace": key.namespace, "uid": name, **created},
            "spec": {
                "policies": [{"name": policy, "rules": [self._rule]} for policy in ("p", "q")],
                "match": {"names": [key.name]},
                "expiresAt": rfc3339(self.now + seconds),
                "reason": "urgent",
            },
        }
        self.excepted.add(key)
        self.book.exceptions.assume(copy.deepcopy(self.exceptions[name]))

    def remove_exception(self, name: str) -> None:
        namespace = self.exceptions.pop(name)["metadata"]["namespace"]
        self.book.exceptions.assume_deleted(namespace, name, name)

    def is_excepted(self, key: Key) -> bool:
        return any(
            each["metadata"]["namespace"] == key.namespace
            and each["spec"]["match"]["names"] == [key.name]
            and rfc3339(self.now) < each["spec"]["expiresAt"]
            for each in self.exceptions.values()
        )
