"""A store that never shows less than this process's own writes, whatever the watch delivers and when.

A write's answer is put into the store at once (`assume`). Until the watch has delivered that resourceVersion or a
newer one, older news of the same object is dropped. Versions compare as numbers (Kubernetes >= 1.35 promises it; etcd's
always did); versions that are no numbers are only compared for equality.
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
"""(old, new): (None, x) added, (x, y) changed, (x, None) deleted. Another uid under the same name is delete, then add."""

REMEMBERED_DELETIONS: Final = 4096
TRUST_SECONDS: Final = 300.0  # client-go's ExpectationsTimeout: after it, a list is believed more than our memory


class Assumed(msgspec.Struct, frozen=True):
    version: str
    at: float


def newer(one: str, other: str) -> bool:
    """Whether resourceVersion `one` is later than `other`; unequal versions that are no numbers count as later."""
    if one.isdigit() and other.isdigit():
        return int(one) > int(other)
    return one != other


def surely_newer(one: str, other: str) -> bool:
    return one.isdigit() and other.isdigit() and int(one) > int(other)


class Overlay:
    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._assumed: dict[Key, Assumed] = {}  # in the store, not yet seen by the watch
        self._buried: dict[str, Key] = {}  # uids deleted by us, the watch has not said so yet
        self._gone: dict[str, str] = {}  # uid -> version at deletion, of the last deletions seen

    def assume(self, body: Body) -> list[Change]:
        """Take the answer to an own write as the newest state, unless the watch was quicker with a newer one."""
        key, uid, version = _identity(body)
        if self._is_dead(uid, version):
            return []
        current = self._store.entry(key)
        if current is not None and not newer(version, current.version):
            return []
        self._assumed[key] = Assumed(version, self._clock())
        return self._put(current, body)

    def assume_deleted(self, key: Key, uid: str) -> list[Change]:
        """An own delete was carried out at once (no finalizer holds the object)."""
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
        if self._is_dead(uid, version) or self._is_stale(key, current, uid, version):
            return []
        self._assumed.pop(key, None)
        return self._put(current, body)

    def listed(self, body: Body) -> list[Change]:
        """An object of a new list. What the list says wins, except over own writes that are later than it."""
        key, uid, version = _identity(body)
        current = self._store.entry(key)
        if uid in self._buried:
            return []
        self._gone.pop(uid, None)  # it exists, whatever was said before: etcd may have been restored
        assumed = self._assumed.get(key)
        if assumed is not None and surely_newer(assumed.version, version) and self._is_fresh(assumed):
            return []
        self._assumed.pop(key, None)
        if current is not None and current.uid == uid and current.version == version:
            return []
        return self._put(current, body)

    def list_ended(self, seen: set[str], namespace: str, version: str) -> list[Change]:
        """After the last page: delete what the list of `namespace` ('' for all) did not have, except own creations later
        than its `version`. `seen`: the uids it had."""
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
