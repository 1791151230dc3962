"""Which objects of a kind may begin, by the quotas of JobFlowPolicies: counted from a cache, decided in memory.

The webhook refuses what exceeds a quota, as far as it sees that; this book bounds the rest: two objects that were
admitted at the same moment, that are resumed, or that a Command runs again. An object may create something only when
its stored status says that it holds a place, so that a new process counts it. Between the decision and the write of
that status the book remembers the object.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec

from controller.quota.room import Room
from shared.key import Key, key_of
from shared.kinds import JOBFLOWPOLICY, JOBFLOWPOLICYEXCEPTION, NAMESPACE
from shared.kube.cache.cache import Cache, Caches
from shared.model.phases import PolicyMode
from shared.model.types import Body
from shared.policy import CompiledPolicy, Compiler, PolicyContext
from shared.policy.exceptions import Exceptions
from shared.policy.match import covers
from shared.policy.quota.counted import CountedKind
from shared.policy.quota.places import Age, Candidate, PlaceState, QuotaPlace, Slot
from shared.policy.quota.standing import Standing
from shared.policy.raw import mapping

_KEPT: Final = (
    *("name", "namespace", "uid", "creationTimestamp", "labels", "ownerReferences"),
    *("deletionTimestamp", "finalizers"),
)
_WAITING: Final = "waits-for-quota"


class QuotaKind(msgspec.Struct, frozen=True):
    """What the book must know of a kind. `part`: spec and status reduced to what `counted` reads."""

    counted: CountedKind
    part: Callable[[Body], Body]


@dataclass
class _Entry:
    """An object that has not ended, without what quotas do not read. `slots`: the places that it needs."""

    body: Body
    standing: Standing
    slots: tuple[Slot, ...]
    age: Age = field(init=False)

    def __post_init__(self) -> None:
        self.age = _age(self.body)


class QuotaBook:
    """The book of one kind. Nothing is kept while no policy has a quota for the kind."""

    def __init__(self, caches: Caches, objects: Cache, kind: QuotaKind, clock: Callable[[], float]) -> None:
        self.policies: Cache = caches.want(JOBFLOWPOLICY, optional=True)
        self.namespaces: Cache = caches.want(NAMESPACE)
        self.exceptions: Cache = caches.want(JOBFLOWPOLICYEXCEPTION, optional=True)
        self._clock = clock
        self._objects = objects
        self._counted, self._part = kind.counted, kind.part
        self._compiler = Compiler()
        self._limiting: tuple[CompiledPolicy, ...] | None = None
        self._entries: dict[Key, _Entry] | None = None
        self._waiting: set[Key] = set()
        self._granted: set[Age] = set()
        self._rooms: dict[str, Room] = {}
        objects.add_indexer(_WAITING, partial(_index, kind.counted))
        self.policies.on_change(self._policy_changed)
        self.namespaces.on_change(self._namespace_changed)
        objects.on_change(self._changed)

    def place(self, key: Key, body: Body) -> QuotaPlace | None:
        """What quotas say of an object now; None if none applies. One that gets a place is remembered."""
        if not self._policies():
            return None
        entry = self._known().get(key) or self._entry(body)
        if not entry.slots or self._is_covered(entry):
            return None
        if entry.standing is Standing.HOLDS:
            return QuotaPlace(PlaceState.OPEN)
        if entry.standing is Standing.IDLE:
            return QuotaPlace(PlaceState.NOT_REQUESTED, self._why_full(entry))
        if entry.age not in self._granted:
            if why := self._why_full(entry):
                return QuotaPlace(PlaceState.HELD, why)
            self._granted.add(entry.age)
            self._room(entry).take(entry.age, entry.slots)
        return QuotaPlace(PlaceState.GRANTED)

    def freed(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        """The waiting objects that may begin after a change of another one, to be reconciled."""
        if not self._policies() or (self._entries is not None and not self._waiting) or not self._may_free(old, new):
            return ()
        namespace, spans = (new or old or {})["metadata"].get("namespace", ""), self._spans()
        known = self._known()
        waiting = ((key, known[key]) for key in self._waiting if spans or key.namespace == namespace)
        return [key for key, entry in waiting if entry.age not in self._granted and self._may_begin(entry)]

    def held(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        """The objects to reconcile when a policy, an exception or a namespace changes: those that a quota may hold."""
        if old is not None and new is not None and _without_status(old) == _without_status(new):
            return ()
        return self._objects.keys_by(_WAITING, "")

    # -- what is known ------------------------------------------------------------------------------------------------
    def _policies(self) -> tuple[CompiledPolicy, ...]:
        """The enforced policies with a quota for the kind."""
        if self._limiting is None:
            self._limiting = tuple(
                policy
                for policy in self._compiler.compile(self.policies.list()).compiled
                if policy.mode is PolicyMode.ENFORCE
                and any(quota.kind == self._counted.kind for quota in policy.quotas)
            )
            if not self._limiting:
                self._recount()
                self._granted.clear()
        return self._limiting

    def _spans(self) -> bool:
        quotas = (quota for policy in self._policies() for quota in policy.quotas)
        return any(quota.spans_namespaces for quota in quotas if quota.kind == self._counted.kind)

    def _known(self) -> dict[Key, _Entry]:
        if self._entries is None:
            self._entries = {}
            for body in self._objects.list():
                self._put(body)
            self._granted &= {self._entries[key].age for key in self._waiting}
        return self._entries

    def _put(self, body: Body) -> None:
        if self._counted.has_ended(body):
            self._drop(body)
            return
        key, entry = key_of(body), self._entry(body)
        if self._entries is not None:
            self._entries[key] = entry
        if entry.standing is Standing.WAITS:
            self._waiting.add(key)
        else:
            self._waiting.discard(key)
            self._granted.discard(entry.age)

    def _drop(self, body: Body) -> None:
        key = key_of(body)
        if self._entries is not None:
            self._entries.pop(key, None)
        self._waiting.discard(key)
        self._granted.discard(_age(body))

    def _entry(self, body: Body) -> _Entry:
        reduced = self._reduced(body)
        return _Entry(reduced, self._counted.standing_of(reduced), tuple(self._slots(reduced)))

    def _reduced(self, body: Body) -> Body:
        metadata = {name: body["metadata"][name] for name in _KEPT if name in body["metadata"]}
        return {"metadata": metadata, **self._part(body)}

    def _slots(self, body: Body) -> Iterable[Slot]:
        metadata = body["metadata"]
        name = metadata.get("namespace", "")
        namespace = self.namespaces.get("", name)
        labels = mapping(mapping((namespace or {}).get("metadata")).get("labels"))
        for policy in self._policies():
            if covers(policy, self._counted.kind, body, namespace):
                for quota in policy.quotas:
                    if quota.kind == self._counted.kind:
                        yield Slot(quota, quota.group(name, mapping(metadata.get("labels")), labels))

    # -- counting -----------------------------------------------------------------------------------------------------
    def _is_covered(self, entry: _Entry) -> bool:
        covered = self._counted.covered_by_owner
        if covered is None or not entry.body["metadata"].get("ownerReferences"):
            return False
        return covered(entry.body, partial(self._named, entry.body["metadata"].get("namespace", "")))

    def _named(self, namespace: str, name: str) -> Body | None:
        entry = self._known().get(Key(namespace, name))
        return None if entry is None else entry.body

    def _may_begin(self, entry: _Entry) -> bool:
        return self._is_covered(entry) or self._room(entry).full(entry.age, entry.slots) is None

    def _why_full(self, entry: _Entry) -> str:
        """The quota that holds the object, or would if it were to begin now; "" if there is room."""
        full = self._room(entry).full(entry.age, entry.slots)
        return "" if full is None or self._is_excepted(entry) else str(full)

    def _scope(self, entry: _Entry) -> str:
        """The namespace whose objects compete with this one for places; "" for all namespaces."""
        return "" if self._spans() else str(entry.body["metadata"].get("namespace", ""))

    def _room(self, entry: _Entry) -> Room:
        """The places of the object's namespace, or of all of them. Counted once between two changes of places."""
        scope = self._scope(entry)
        if scope not in self._rooms:
            self._rooms[scope] = Room(
                Candidate(each.age, self._holds(each), each.slots)
                for key, each in self._known().items()
                if scope in ("", key.namespace)
                and each.standing is not Standing.IDLE
                and each.slots
                and not self._is_covered(each)
            )
        return self._rooms[scope]

    def _holds(self, entry: _Entry) -> bool:
        return entry.standing is Standing.HOLDS or entry.age in self._granted

    def _is_excepted(self, entry: _Entry) -> bool:
        """Whether exceptions allow the object to exceed each of its quotas now. It counts all the same."""
        namespace = str(entry.body["metadata"].get("namespace", ""))
        policies = {policy.name: policy for policy in self._policies()}
        context = PolicyContext(kind=self._counted.kind, body=entry.body, namespace=namespace)
        exceptions = Exceptions(self.exceptions.list, self._clock())
        return all(
            exceptions.allowing(policies[slot.quota.policy], slot.quota.rule, context) is not None
            for slot in entry.slots
        )

    # -- changes ------------------------------------------------------------------------------------------------------
    def _may_free(self, old: Body | None, new: Body | None) -> bool:
        """Whether a change may leave room, or let an object count no more."""
        if old is None:
            return self._counted.covered_by_owner is not None
        before = self._reduced(old)
        if new is None:
            return True
        after = self._reduced(new)
        if self._counted.covered_by_owner is not None:
            return before != after
        moved = before["metadata"].get("labels") != after["metadata"].get("labels")
        return moved or not self._counted.is_active(after)

    def _changed(self, old: Body | None, new: Body | None) -> None:
        if self._entries is None:
            return
        key = key_of(new or old or {})
        known = self._entries.get(key)
        if new is not None and known is not None and known.body == self._reduced(new):
            return
        held = known is not None and self._holds(known)
        if new is not None:
            self._put(new)
        elif old is not None:
            self._drop(old)
        if not self._adjust_room(known, held, self._entries.get(key)):
            self._rooms.clear()

    def _adjust_room(self, before: _Entry | None, held: bool, after: _Entry | None) -> bool:
        """Adjust the counted places to the change of one object; False if they must be counted again.

        Only the most frequent changes are adjusted. `held`: whether the object held its places before.
        """
        entry = after or before
        if entry is None:
            return True
        if self._counted.covered_by_owner is not None:
            return False
        if before is not None and after is not None and (before.slots, before.age) != (after.slots, after.age):
            return False
        room = self._rooms.get(self._scope(entry))
        now = Standing.IDLE if after is None else after.standing
        waited = before is not None and before.standing is Standing.WAITS and not held
        if room is None or (held and now is Standing.HOLDS):
            return True
        if held and now is Standing.IDLE:
            room.leave(entry.slots)
        elif not held and now is Standing.WAITS and entry.slots:
            room.wait(entry.age, entry.slots)
        else:
            return not held and not waited and now is Standing.IDLE
        return True

    def _policy_changed(self, old: Body | None, new: Body | None) -> None:
        if old is not None and new is not None and old.get("spec") == new.get("spec"):
            return
        self._limiting = None
        self._recount()

    def _namespace_changed(self, old: Body | None, new: Body | None) -> None:
        if _labels(old) != _labels(new):
            self._recount()

    def _recount(self) -> None:
        """The slots of all objects may have changed."""
        self._rooms.clear()
        self._waiting.clear()
        self._entries = None


def _index(counted: CountedKind, body: Body) -> Iterable[str]:
    return ("",) if counted.standing_of(body) is Standing.WAITS else ()


def _labels(namespace: Body | None) -> Body:
    return mapping(mapping((namespace or {}).get("metadata")).get("labels"))


def _without_status(body: Body) -> tuple[object, object]:
    return body.get("spec"), body["metadata"].get("labels")


def _age(body: Body) -> Age:
    metadata = body["metadata"]
    return str(metadata.get("creationTimestamp") or ""), str(metadata.get("uid") or key_of(body))
