"""The storage, in place of etcd and the watch cache: objects by resource and namespace, one revision counter, history.

Stored objects are immutable: a write replaces the StoredObject. Each version is encoded once.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from shared.model.types import Body

GroupResource = tuple[str, str]
Key = tuple[str, str]  # namespace ("" for cluster scope), name
HISTORY = 10_000  # events kept for each resource; a watch from an older revision gets 410


class StoredObject:
    """One version of one object. `body` is its JSON without apiVersion and kind, which depend on the version served."""

    __slots__ = ("_kind", "_obj", "body", "key", "rv", "uid")

    def __init__(self, key: Key, rv: int, obj: Body) -> None:
        obj["metadata"]["resourceVersion"] = str(rv)
        self.key = key
        self.rv = rv
        self.uid = str(obj["metadata"]["uid"])
        self.body = orjson.dumps({name: value for name, value in obj.items() if name not in ("apiVersion", "kind")})
        self._kind = (obj["apiVersion"], obj["kind"])
        self._obj: Body | None = obj

    @classmethod
    def unstored(cls, key: Key, rv: int, obj: Body) -> "StoredObject":
        """The result of a dry run. `rv`: of the existing object; 0 if none exists, and then the object has none."""
        entry = cls(key, rv, obj)
        if not rv:
            del obj["metadata"]["resourceVersion"]
            entry.body = orjson.dumps(
                {name: value for name, value in obj.items() if name not in ("apiVersion", "kind")}
            )
        return entry

    @property
    def obj(self) -> Body:
        """The object, which must not be changed. An old version is decoded on each use."""
        return self._obj if self._obj is not None else self.copy()

    @property
    def meta(self) -> Body:
        found: Body = self.obj["metadata"]
        return found

    def copy(self) -> Body:
        """A copy that the caller may change."""
        copied: Body = orjson.loads(self.body)
        return {"apiVersion": self._kind[0], "kind": self._kind[1], **copied}

    def fold(self) -> None:
        """Keep only the JSON, because a newer version replaced this one."""
        self._obj = None


class StoreEvent:
    """One write: `entry` is the object after it (for DELETED: its last state, at the revision of the deletion)."""

    __slots__ = ("entry", "kind", "previous", "rv")

    def __init__(self, kind: str, rv: int, entry: StoredObject, previous: StoredObject | None) -> None:
        self.kind = kind
        self.rv = rv
        self.entry = entry
        self.previous = previous


Listener = Callable[[GroupResource, StoreEvent], None]


class ResourceBucket:
    """All objects of one resource."""

    def __init__(self) -> None:
        self.objects: dict[Key, StoredObject] = {}
        self.by_namespace: dict[str, dict[Key, StoredObject]] = {}
        self.history: deque[StoreEvent] = deque(maxlen=HISTORY)
        self.compacted = 0  # the newest revision whose events are no longer in the history
        self.listeners: set[Callable[[StoreEvent], None]] = set()

    def put(self, entry: StoredObject) -> None:
        self.objects[entry.key] = entry
        self.by_namespace.setdefault(entry.key[0], {})[entry.key] = entry

    def drop(self, key: Key) -> None:
        del self.objects[key]
        within = self.by_namespace[key[0]]
        del within[key]
        if not within:
            del self.by_namespace[key[0]]

    def record(self, event: StoreEvent) -> None:
        if len(self.history) == self.history.maxlen:
            self.compacted = self.history[0].rv
        self.history.append(event)
        for listener in tuple(self.listeners):
            listener(event)

    def entries(self, namespace: str) -> list[StoredObject]:
        """The objects in the order of etcd's keys: by namespace, then name."""
        found = self.by_namespace.get(namespace, {}) if namespace else self.objects
        return [found[key] for key in sorted(found)]

    def entries_at(self, namespace: str, rv: int) -> list[StoredObject]:
        """The objects as they were at revision `rv`, by undoing the newer events. KeyError when compacted."""
        if rv < self.compacted:
            raise KeyError(rv)
        state = dict(self.objects)
        for event in reversed(self.history):
            if event.rv <= rv:
                break
            if event.previous is None:
                state.pop(event.entry.key, None)
            else:
                state[event.entry.key] = event.previous
        return [state[key] for key in sorted(state) if not namespace or key[0] == namespace]


class ObjectStore:
    """All stored objects. Single-threaded: no method awaits."""

    def __init__(self, rv: int = 1) -> None:
        self.rv = rv
        self.floor = 0  # the revision of the last compaction
        self.dropped: dict[GroupResource, int] = {}  # resources no longer served: the revision of their removal
        self.buckets: dict[GroupResource, ResourceBucket] = {}
        self.uids: dict[str, tuple[GroupResource, Key]] = {}
        self.dependents: dict[str, set[tuple[GroupResource, Key]]] = {}
        self.listeners: list[Listener] = []

    def bucket(self, gr: GroupResource) -> ResourceBucket:
        found = self.buckets.get(gr)
        if found is None:
            found = self.buckets[gr] = ResourceBucket()
            found.compacted = max(self.floor, self.dropped.get(gr, 0))
        return found

    def get(self, gr: GroupResource, namespace: str, name: str) -> StoredObject | None:
        return self.bucket(gr).objects.get((namespace, name))

    def create(self, gr: GroupResource, obj: Body) -> StoredObject:
        """Store a new object whose name the caller has checked to be free."""
        return self._write(gr, obj, None)

    def update(self, gr: GroupResource, obj: Body, previous: StoredObject) -> StoredObject:
        """Replace `previous`. Without a change nothing is written and no revision is used."""
        obj["metadata"]["resourceVersion"] = str(previous.rv)
        return previous if obj == previous.obj else self._write(gr, obj, previous)

    def delete(self, gr: GroupResource, previous: StoredObject, last: Body | None = None) -> StoredObject:
        """Remove `previous`. Watches get `last` (or the previous state) at the revision of the deletion."""
        self.rv += 1
        entry = StoredObject(previous.key, self.rv, last if last is not None else previous.copy())
        self.bucket(gr).drop(previous.key)
        self.uids.pop(previous.uid, None)
        self._unlink(gr, previous)
        self._tell(gr, StoreEvent("DELETED", self.rv, entry, previous))
        previous.fold()
        return entry

    def compact(self) -> None:
        """Drop all history: watches and lists of an older revision get 410."""
        self.floor = self.rv
        for bucket in self.buckets.values():
            bucket.history.clear()
            bucket.compacted = self.rv

    def drop(self, gr: GroupResource) -> None:
        """Drop a resource that is no longer served; a later one of its name starts empty."""
        self.buckets.pop(gr, None)
        self.dropped[gr] = self.rv

    def all(self) -> Iterator[tuple[GroupResource, StoredObject]]:
        for gr, bucket in self.buckets.items():
            for entry in bucket.objects.values():
                yield gr, entry

    def load(self, gr: GroupResource, obj: Body) -> None:
        """Restore an object from a snapshot with its revision and without an event."""
        meta = obj["metadata"]
        entry = StoredObject((meta.get("namespace", ""), meta["name"]), int(meta["resourceVersion"]), obj)
        self.bucket(gr).put(entry)
        self._link(gr, entry)

    def _write(self, gr: GroupResource, obj: Body, previous: StoredObject | None) -> StoredObject:
        self.rv += 1
        meta = obj["metadata"]
        entry = StoredObject((meta.get("namespace", ""), meta["name"]), self.rv, obj)
        if previous is not None:
            self._unlink(gr, previous)
        self.bucket(gr).put(entry)
        self._link(gr, entry)
        self._tell(gr, StoreEvent("ADDED" if previous is None else "MODIFIED", self.rv, entry, previous))
        if previous is not None:
            previous.fold()
        return entry

    def _tell(self, gr: GroupResource, event: StoreEvent) -> None:
        self.bucket(gr).record(event)
        for listener in self.listeners:
            listener(gr, event)

    def _link(self, gr: GroupResource, entry: StoredObject) -> None:
        self.uids[entry.uid] = (gr, entry.key)
        for owner in owners(entry.obj):
            self.dependents.setdefault(owner.get("uid", ""), set()).add((gr, entry.key))

    def _unlink(self, gr: GroupResource, entry: StoredObject) -> None:
        for owner in owners(entry.obj):
            found = self.dependents.get(owner.get("uid", ""))
            if found is not None:
                found.discard((gr, entry.key))
                if not found:
                    del self.dependents[owner["uid"]]


def owners(obj: Body) -> list[Any]:
    return obj["metadata"].get("ownerReferences") or []
