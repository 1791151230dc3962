"""Which changes of watched objects enter the gang cache, and which keys of the gang controller they wake."""

from collections.abc import Iterable
from typing import Final

from controller.gang.cache.cache import GangCache
from controller.runtime.controller import Route
from shared.key import Key
from shared.kinds import LIMITRANGE, NODE, POD, PODGROUP, PRIORITYCLASS, QUEUE
from shared.kube.cache.cache import Caches
from shared.kube.cache.trimmed import only_metadata, only_resources
from shared.model.types import Body

CYCLE: Final = Key("", "cycle")
"""The key of the scheduling cycle; all other keys are PodGroups."""


def gang_routes(caches: Caches, cache: GangCache, *, with_nodes: bool) -> tuple[Route, ...]:
    """`with_nodes`: room on nodes is judged here, and not by kube-scheduler."""
    updater = CacheUpdater(cache)
    nodes = (Route(caches.want(NODE, transform=only_resources), updater.node),) if with_nodes else ()
    return (
        *nodes,
        Route(caches.want(QUEUE), updater.queue),
        Route(caches.want(PRIORITYCLASS), updater.priority_class),
        Route(caches.want(LIMITRANGE, transform=only_metadata), updater.limit_range),
        Route(caches.want(PODGROUP), updater.group, own_writes=False),
        Route(caches.want(POD), updater.pod, own_writes=False),
    )


class CacheUpdater:
    """Changes of watched objects -> the gang cache -> keys to reconcile."""

    def __init__(self, cache: GangCache) -> None:
        self._cache = cache

    def pod(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        return self._keys(self._cache.update_pod(old, new))

    def group(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        return self._keys(self._cache.update_group(old, new))

    def node(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        return (CYCLE,) if self._cache.update_node(old, new) else ()

    def queue(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        return (CYCLE,) if self._cache.update_queue(old, new) else ()

    def priority_class(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        self._cache.update_priority_class(old, new)
        return (CYCLE,) if self._cache.waiting else ()

    def limit_range(self, old: Body | None, new: Body | None) -> Iterable[Key]:
        self._cache.update_limit_range(old, new)
        return ()

    def _keys(self, groups: Iterable[Key]) -> Iterable[Key]:
        found = [key for key in groups if key in self._cache.groups]
        return [*found, CYCLE] if self._cache.waiting or self._cache.unassigned else found
