"""The children of the flows that are being reconciled, parsed once per version, and look-ups of objects by name."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

import msgspec

from controller.decision import Child
from controller.jobflow.children.child_type import Parser
from controller.jobflow.children.registry import PARSERS
from controller.jobflow.model.observed import ObservedChild
from controller.owner_references import by_controller_uid
from shared.kinds import Kind
from shared.kube.cache.cache import Cache, Caches
from shared.model.types import Body

OWNER: Final = "owner"
MAX_EARLIER: Final = 20


class FlowChildren:
    """Loaded when a flow is first looked at, kept up by the caches' changes, dropped when the flow has ended.

    `caches`: one for each kind that steps create.
    """

    def __init__(self, caches: Caches) -> None:
        self.caches: Mapping[Kind, Cache] = {
            kind: caches.want(kind, indexers={OWNER: by_controller_uid}) for kind in PARSERS
        }
        self._loaded: dict[str, dict[str, ObservedChild]] = {}
        for kind, cache in self.caches.items():
            cache.on_change(partial(self._changed, PARSERS[kind]))

    def of(self, uid: str) -> Mapping[str, ObservedChild]:
        """The children whose controller has this uid, by name."""
        known = self._loaded.get(uid)
        if known is None:
            found = (PARSERS[kind](body) for kind, cache in self.caches.items() for body in cache.by(OWNER, uid))
            known = self._loaded[uid] = {child.name: child for child in found}
        return known

    def drop(self, uid: str) -> None:
        self._loaded.pop(uid, None)

    def _changed(self, parse: Parser, old: Body | None, new: Body | None) -> None:
        body = new if new is not None else old
        if body is None:
            return
        owners = frozenset(by_controller_uid(body))
        for uid in owners:
            children = self._loaded.get(uid)
            if children is not None:
                self._note(children, parse(body), gone=new is None)
        for uid in frozenset(by_controller_uid(old)) - owners if old is not None else ():
            self._loaded.get(uid, {}).pop(body["metadata"]["name"], None)  # its owner reference was removed

    def _note(self, children: dict[str, ObservedChild], child: ObservedChild, *, gone: bool) -> None:
        if not gone:
            children[child.name] = _with_earlier(child, children.get(child.name))
        elif child.ended:  # its results may not be recorded yet
            children[child.name] = msgspec.structs.replace(child, deleting=True)
        else:
            children.pop(child.name, None)


def _with_earlier(child: ObservedChild, before: ObservedChild | None) -> ObservedChild:
    """The child with the conditions of earlier versions that it no longer has. Flows may be written less often than a Job
    restarts."""
    if before is None or before.uid != child.uid:
        return child
    lost = () if before.status.conditions == child.status.conditions else before.status.conditions
    earlier = (*before.earlier, *(each for each in lost if each not in child.status.conditions))
    return msgspec.structs.replace(child, earlier=earlier[-MAX_EARLIER:]) if earlier else child


class ObjectsByName(Mapping[Child, ObservedChild]):
    """Any object of a namespace by kind and name, whoever owns it."""

    def __init__(self, caches: Mapping[Kind, Cache], namespace: str, own: Mapping[str, ObservedChild]) -> None:
        self._caches = caches
        self._namespace = namespace
        self._own = own

    def __getitem__(self, child: Child) -> ObservedChild:
        kind, name = child
        own = self._own.get(name)
        if own is not None and own.kind is kind:
            return own
        body = self._caches[kind].get(self._namespace, name)
        if body is None:
            raise KeyError(child)
        return PARSERS[kind](body)

    def __iter__(self) -> Iterator[Child]:
        return ((kind, key.name) for kind, cache in self._caches.items() for key in cache.keys(self._namespace))

    def __len__(self) -> int:
        return sum(len(cache.keys(self._namespace)) for cache in self._caches.values())


class Templates(Mapping[str, Body]):
    """The JobTemplates of a namespace by name."""

    def __init__(self, cache: Cache, namespace: str) -> None:
        self._cache = cache
        self._namespace = namespace

    def __getitem__(self, name: str) -> Body:
        body = self._cache.get(self._namespace, name)
        if body is None or "deletionTimestamp" in body["metadata"]:
            raise KeyError(name)
        return body

    def __iter__(self) -> Iterator[str]:
        return (key.name for key in self._cache.keys(self._namespace))

    def __len__(self) -> int:
        return len(self._cache.keys(self._namespace))


class QueueStates(Mapping[str, str]):
    """The states of queues by name; "" for one that has none yet. Empty where this process does not run Jobs."""

    def __init__(self, cache: Cache | None) -> None:
        self._cache = cache

    def __getitem__(self, name: str) -> str:
        body = self._cache.get("", name) if self._cache is not None else None
        if body is None:
            raise KeyError(name)
        return queue_state(body)

    def __iter__(self) -> Iterator[str]:
        return (key.name for key in self._cache or ())

    def __len__(self) -> int:
        return len(self._cache or ())


def queue_state(queue: Body) -> str:
    return str((queue.get("status") or {}).get("state") or "")
