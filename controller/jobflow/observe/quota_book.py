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

from shared.key import Key, key_of
from shared.kinds import JOBFLOWPOLICY, JOBFLOWPOLICYEXCEPTION, NAMESPACE, Kind
from shared.kube.cache.cache import Cache, Caches
from shared.model.phases import PolicyMode
from shared.model.types import Body
from shared.policy import CompiledPolicy, Compiler, PolicyContext
from shared.policy.exceptions import Exceptions
from shared.policy.match import covers
from shared.policy.quota.places import Age, Candidate, PlaceState, QuotaPlace, Slot, full_slots
from shared.policy.quota.standing import Standing
from shared.policy.raw import mapping

Find = Callable[[str], Body | None]
_KEPT: Final = ("name", "namespace", "uid", "creationTimestamp", "labels", "ownerReferences", "deletionTimestamp")


class QuotaKind(msgspec.Struct, frozen=True):
    """What the book must know of a kind. `part`: spec and status reduced to what the others read; `covered_by_owner`:
    whether another object is counted instead of it, given the unfinished objects of its namespace by name."""

    kind: Kind
    standing_of: Callable[[Body], Standing]
    has_ended: Callable[[Body], bool]
    part: Callable[[Body], Body]
    covered_by_owner: Callable[[Body, Find], bool]


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
        self._kind = kind
        self._compiler = Compiler()
        self._limiting: tuple[CompiledPolicy, ...] | None = None
        self._entries: dict[Key, _Entry] | None = None
        self._waiting: set[Key] = set()
        self._granted: set[Age] = set()
        self._full: dict[str, dict[Age, Slot]] = {}
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
            return QuotaPlace(PlaceState.ASKS)
        if (slot := self._full_for(entry)) is not None:
            if not self._is_excepted(entry):
                return QuotaPlace(PlaceState.HELD, str(slot))
            self._full.clear()  # it counts from now on, also once the exception has expired
        self._granted.add(entry.age)
        return QuotaPlace(PlaceState.GRANTED)

    def freed(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        """The waiting objects that may begin after a change of another one, to be reconciled."""
        if not self._policies() or (self._entries is not None and not self._waiting):
            return ()
        if old is not None and new is not None and self._reduced(old) == self._reduced(new):
            return ()
        namespace, spans = (new or old or {})["metadata"].get("namespace", ""), self._spans()
        known = self._known()
        waiting = ((key, known[key]) for key in self._waiting if spans or key.namespace == namespace)
        return [
            key
            for key, entry in waiting
            if entry.age not in self._granted and (self._is_covered(entry) or self._full_for(entry) is None)
        ]

    # -- what is known ------------------------------------------------------------------------------------------------
    def _policies(self) -> tuple[CompiledPolicy, ...]:
        """The enforced policies with a quota for the kind."""
        if self._limiting is None:
            self._limiting = tuple(
                policy
                for policy in self._compiler.compile(self.policies.list()).compiled
                if policy.mode is PolicyMode.ENFORCE and any(quota.kind == self._kind.kind for quota in policy.quotas)
            )
            if not self._limiting:
                self._recount()
                self._granted.clear()
        return self._limiting

    def _spans(self) -> bool:
        return any(quota.spans_namespaces for policy in self._policies() for quota in policy.quotas)

    def _known(self) -> dict[Key, _Entry]:
        if self._entries is None:
            self._entries = {}
            for body in self._objects.list():
                self._put(body)
            self._granted &= {self._entries[key].age for key in self._waiting}
        return self._entries

    def _put(self, body: Body) -> None:
        if self._kind.has_ended(body):
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
        return _Entry(reduced, self._kind.standing_of(reduced), tuple(self._slots(reduced)))

    def _reduced(self, body: Body) -> Body:
        metadata = {name: body["metadata"][name] for name in _KEPT if name in body["metadata"]}
        return {"metadata": metadata, **self._kind.part(body)}

    def _slots(self, body: Body) -> Iterable[Slot]:
        metadata = body["metadata"]
        name = metadata.get("namespace", "")
        namespace = self.namespaces.get("", name)
        labels = mapping(mapping((namespace or {}).get("metadata")).get("labels"))
        for policy in self._policies():
            if covers(policy, self._kind.kind, body, namespace):
                for quota in policy.quotas:
                    if quota.kind == self._kind.kind:
                        yield Slot(quota, quota.group(name, mapping(metadata.get("labels")), labels))

    # -- counting -----------------------------------------------------------------------------------------------------
    def _is_covered(self, entry: _Entry) -> bool:
        if not entry.body["metadata"].get("ownerReferences"):
            return False
        return self._kind.covered_by_owner(
            entry.body, partial(self._named, entry.body["metadata"].get("namespace", ""))
        )

    def _named(self, namespace: str, name: str) -> Body | None:
        entry = self._known().get(Key(namespace, name))
        return None if entry is None else entry.body

    def _full_for(self, entry: _Entry) -> Slot | None:
        """The slot for which the object must wait. Computed once for all objects between two changes."""
        scope = "" if self._spans() else str(entry.body["metadata"].get("namespace", ""))
        if scope not in self._full:
            self._full[scope] = dict(
                full_slots(
                    Candidate(each.age, each.standing is Standing.HOLDS or each.age in self._granted, each.slots)
                    for key, each in self._known().items()
                    if scope in ("", key.namespace)
                    and each.standing is not Standing.IDLE
                    and each.slots
                    and not self._is_covered(each)
                )
            )
        return self._full[scope].get(entry.age)

    def _is_excepted(self, entry: _Entry) -> bool:
        """Whether exceptions allow the object to exceed each of its quotas now. It counts all the same."""
        namespace = str(entry.body["metadata"].get("namespace", ""))
        policies = {policy.name: policy for policy in self._policies()}
        context = PolicyContext(kind=self._kind.kind, body=entry.body, namespace=namespace)
        exceptions = Exceptions(self.exceptions.list, self._clock())
        return all(
            exceptions.allowing(policies[slot.quota.policy], slot.quota.rule, context) is not None
            for slot in entry.slots
        )

    # -- changes ------------------------------------------------------------------------------------------------------
    def _changed(self, old: Body | None, new: Body | None) -> None:
        if self._entries is None:
            return
        self._full.clear()
        if new is not None:
            self._put(new)
        elif old is not None:
            self._drop(old)

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
        self._full.clear()
        self._waiting.clear()
        self._entries = None


def _labels(namespace: Body | None) -> Body:
    return mapping(mapping((namespace or {}).get("metadata")).get("labels"))


def _age(body: Body) -> Age:
    metadata = body["metadata"]
    return str(metadata.get("creationTimestamp") or ""), str(metadata.get("uid") or key_of(body))
