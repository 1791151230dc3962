"""The children of the flows that are being reconciled, parsed once per version, and look-ups of objects by name."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from time import time
from typing import Final

from msgspec.structs import replace

from controller.decision import Child
from controller.jobflow.children.parse.resource import dated, parse_resource, without_object
from controller.jobflow.children.registry import PARSERS
from controller.jobflow.model.job_stays import with_version
from controller.jobflow.model.observed import ObservedChild
from controller.owner_references import by_controller_uid
from shared.kinds import Kind
from shared.kube.cache.cache import Cache, Caches
from shared.model.step import Step
from shared.model.types import Body
from shared.names import STEP

OWNER: Final = "owner"


class FlowChildren:
    """Loaded when a flow is first looked at, updated by changes of the caches, dropped when the flow has ended.

    `caches`: one for each kind that steps create; `resource_kinds`: those of steps with `resource`, whose CRDs may be
    installed later. `clock`: epoch seconds, for times that such objects do not record.
    """

    def __init__(self, caches: Caches, resource_kinds: Iterable[Kind] = (), clock: Callable[[], float] = time) -> None:
        indexers = {OWNER: by_controller_uid}
        self.caches: Mapping[Kind, Cache] = {
            **{kind: caches.want(kind, indexers=indexers) for kind in PARSERS},
            **{kind: caches.want(kind, indexers=indexers, optional=True) for kind in resource_kinds},
        }
        self._clock = clock
        self._loaded: dict[str, dict[str, ObservedChild]] = {}
        self._steps: dict[str, Mapping[str, Step]] = {}
        for kind, cache in self.caches.items():
            cache.on_change(partial(self._changed, kind))

    def of(self, uid: str, steps: Mapping[str, Step] | None = None) -> Mapping[str, ObservedChild]:
        """The children whose controller has this uid, by name. `steps`: of the flow, if they are known."""
        if steps is not None:
            self._steps[uid] = steps
        known = self._loaded.get(uid)
        if known is None:
            known = self._loaded[uid] = {}
            for kind, cache in self.caches.items():
                for body in cache.by(OWNER, uid):
                    self._note(known, self._parse(kind, body, uid), gone=False)
        return known

    def __contains__(self, uid: str) -> bool:
        """Whether the children of this flow are loaded."""
        return uid in self._loaded

    def drop(self, uid: str) -> None:
        self._loaded.pop(uid, None)
        self._steps.pop(uid, None)

    def parse(self, kind: Kind, body: Body) -> ObservedChild:
        """An object of whichever owner."""
        return self._parse(kind, body, "")

    def assume(self, kind: Kind, body: Body, uid: str) -> bool:
        """Store an object that was read from the API server. Whether its controller has this uid."""
        self.caches[kind].assume(body)
        return uid in by_controller_uid(body)

    def unserved(self) -> frozenset[Kind]:
        """The kinds that the API server does not serve."""
        return frozenset(kind for kind, cache in self.caches.items() if not cache.served)

    def _parse(self, kind: Kind, body: Body, uid: str) -> ObservedChild:
        parser = PARSERS.get(kind)
        if parser is not None:
            return parser(body)
        name = (body["metadata"].get("labels") or {}).get(STEP, "")
        return parse_resource(kind, body, self._steps.get(uid, {}).get(name))

    def _changed(self, kind: Kind, old: Body | None, new: Body | None) -> None:
        body = new if new is not None else old
        if body is None:
            return
        owners = frozenset(by_controller_uid(body))
        for uid in owners:
            children = self._loaded.get(uid)
            if children is not None:
                self._note(children, self._parse(kind, body, uid), gone=new is None)
        for uid in frozenset(by_controller_uid(old)) - owners if old is not None else ():
            self._loaded.get(uid, {}).pop(body["metadata"]["name"], None)  # its owner reference was removed

    def _note(self, children: dict[str, ObservedChild], child: ObservedChild, *, gone: bool) -> None:
        if child.kind not in PARSERS:
            before = children.get(child.name)
            child = dated(without_object(child) if gone else child, before, self._clock())
        if not gone:
            children[child.name] = _with_stays(child, children.get(child.name))
        elif child.ended:  # its results may not be recorded yet
            children[child.name] = replace(child, deleting=True)
        else:
            children.pop(child.name, None)


def _with_stays(child: ObservedChild, before: ObservedChild | None) -> ObservedChild:
    """The child with the stays of earlier versions. Flows may be written less often than a Job restarts."""
    conditions = child.status.conditions
    if before is None or before.uid != child.uid:
        return replace(child, stays=conditions)
    return replace(child, stays=with_version(before.stays, before.status.conditions, conditions))


class ObjectsByName(Mapping[Child, ObservedChild]):
    """Any object of a namespace by kind and name, whoever owns it."""

    def __init__(self, children: FlowChildren, namespace: str, own: Mapping[str, ObservedChild]) -> None:
        self._children = children
        self._namespace = namespace
        self._own = own

    def __getitem__(self, child: Child) -> ObservedChild:
        kind, name = child
        own = self._own.get(name)
        if own is not None and own.kind == kind:
            return own
        cache = self._children.caches.get(kind)
        body = cache.get(self._namespace, name) if cache is not None else None
        if body is None:
            raise KeyError(child)
        return self._children.parse(kind, body)

    def __iter__(self) -> Iterator[Child]:
        caches = self._children.caches
        return ((kind, key.name) for kind, cache in caches.items() for key in cache.keys(self._namespace))

    def __len__(self) -> int:
        return sum(len(cache.keys(self._namespace)) for cache in self._children.caches.values())


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
