"""A store that is never older than this process's own writes, in whatever order and delay the watch delivers.

The answer to a write is stored at once (`assume`). Until the watch has delivered that resourceVersion or a newer one,
older events of the same object are dropped. Versions are compared as numbers, which Kubernetes guarantees since 1.35 and
etcd has always allowed; versions that are not numbers are compared for equality only.
"""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from shared.key import Key, key_of
from shared.kube.cache.packed import Entry
from shared.kube.cache.store import Store
from shared.model.types import Body

Change = tuple[Body | None, Body | None]
"""(old, new): (None, x) added, (x, y) changed, (x, None) deleted. A new uid under the same name is delete, then add."""

REMEMBERED_DELETIONS: Final = 4096
TRUST_SECONDS: Final = (
    300.0  # client-go's ExpectationsTimeout: after it, a list takes precedence over remembered writes
)


class Assumed(msgspec.Struct, frozen=True):
    version: str
    at: float


def newer(one: str, other: str) -> bool:
    """Whether resourceVersion `one` is later than `other`. Unequal versions that are not numbers count as later."""
    if one.isdigit() and other.isdigit():
        return int(one) > int(other)
    return one != other


def surely_newer(one: str, other: str) -> bool:
    return one.isdigit() and other.isdigit() and int(one) > int(other)


class Overlay:
    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._assumed: dict[Key, Assumed] = {}  # stored, not yet delivered by the watch
        self._buried: dict[str, Key] = {}  # uids that this process deleted and the watch has not reported yet
        self._gone: dict[str, str] = {}  # uid -> version at deletion, for the latest deletions

    def assume(self, body: Body) -> list[Change]:
        """Stores the answer to an own write, unless the watch has already delivered a newer version."""
        key, uid, version = _identity(body)
        if self._is_dead(uid, version):
            return []
        current = self._store.entry(key)
        if current is not None and not newer(version, current.version):
            return []
        self._assumed[key] = Assumed(version, self._clock())
        return self._put(current, body)

    def assume_deleted(self, key: Key, uid: str) -> list[Change]:
        """Removes an object that an own delete removed at once (it had no finalizers)."""
        current = self._store.entry(key)
        if current is None or current.uid != uid:
            return []
        self._buried[uid] = key
        return self._remove(key)

    def event(self, kind: str, body: Body) -> list[Change]:
        """A watch event: ADDED, MODIFIED or DELETED."""
        key, uid, version = _identity(body)
        current = self._store.entry(key)
        if kind == "DELETED":
            self._buried.pop(uid, None)
            self._bury(uid, version)
            return self._remove(key) if current is not None and current.uid == uid else []
        if self.knows(key, uid, version):
            return []
        self._assumed.pop(key, None)
        return self._put(current, body)

    def knows(self, key: Key, uid: str, version: str) -> bool:
        """Whether an event ADDED or MODIFIED with this version tells nothing that is not stored already."""
        return self._is_dead(uid, version) or self._is_stale(key, self._store.entry(key), uid, version)

    def listed(self, body: Body) -> list[Change]:
        """An object of a new list. The list takes precedence, except over own writes that are newer than it."""
        key, uid, version = _identity(body)
        current = self._store.entry(key)
        if uid in self._buried:
            return []
        self._gone.pop(uid, None)  # it exists, even if it was reported deleted before: etcd may have been restored
        assumed = self._assumed.get(key)
        if assumed is not None and surely_newer(assumed.version, version) and self._is_fresh(assumed):
            return []
        self._assumed.pop(key, None)
        if current is not None and current.uid == uid and current.version == version:
            return []
        return self._put(current, body)

    def list_ended(self, seen: set[str], namespace: str, version: str) -> list[Change]:
        """After the last page: deletes the objects of `namespace` ('' for all) that the list did not contain.

        Own creations that are newer than the list's `version` stay. `seen`: the uids in the list.
        """
        changes: list[Change] = []
        for key in self._store.keys(namespace or None):
            entry = self._store.entry(key)
            if entry is None or entry.uid in seen:
                continue
            assumed = self._assumed.get(key)
            if assumed is not None and surely_newer(assumed.version, version) and self._is_fresh(assumed):
                continue
            changes += self._remove(key)
        for uid, key in list(self._buried.items()):
            if uid not in seen and namespace in ("", key.namespace):
                del self._buried[uid]
        return changes

    def _put(self, current: Entry | None, body: Body) -> list[Change]:
        replaced = current is not None and current.uid != body["metadata"].get("uid", "")
        if current is not None and replaced:
            self._bury(current.uid, current.version)
        old = self._store.put(body)
        return [(old, None), (None, body)] if replaced else [(old, body)]

    def _remove(self, key: Key) -> list[Change]:
        self._assumed.pop(key, None)
        old = self._store.remove(key)
        return [] if old is None else [(old, None)]

    def _is_stale(self, key: Key, current: Entry | None, uid: str, version: str) -> bool:
        if current is None:
            return False
        if current.uid == uid:
            if current.version == version:
                self._assumed.pop(key, None)
            return not newer(version, current.version)
        return surely_newer(current.version, version)

    def _is_dead(self, uid: str, version: str) -> bool:
        if uid in self._buried:
            return True
        died = self._gone.get(uid)
        # An object that left a label selector and came back has the same uid and a later version.
        return died is not None and not surely_newer(version, died)

    def _bury(self, uid: str, version: str) -> None:
        self._gone.pop(uid, None)
        self._gone[uid] = version
        if len(self._gone) > REMEMBERED_DELETIONS:
            self._gone.pop(next(iter(self._gone)))

    def _is_fresh(self, assumed: Assumed) -> bool:
        return self._clock() - assumed.at < TRUST_SECONDS


def _identity(body: Body) -> tuple[Key, str, str]:
    metadata = body["metadata"]
    return key_of(body), metadata.get("uid", ""), metadata.get("resourceVersion", "")
