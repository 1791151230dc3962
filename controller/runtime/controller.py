"""What a controller is: a queue of keys, a reconciler for them, and routes that say which change wakes which key.

To add one: write `build(context) -> Controller` in a file of its own here and name it in `controller.main.CONTROLLERS`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from controller.runtime.worker import IN_HAND, Reconciler
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kube.cache.cache import Cache
from shared.model.types import Body

Wakes = Callable[[Body | None, Body | None], Iterable[Key]]


@dataclass(frozen=True)
class Route:
    """`wakes(old, new)` names the keys to work on when an object of `cache` changes (None: absent; as Cache.on_change).

    `own_writes`: whether a pass's own writes wake its own key again. Say False where the decision for a key leaves
    nothing to do once its writes are stored; every write then saves a pass. Other keys are woken in any case.
    """

    cache: Cache
    wakes: Wakes
    own_writes: bool = True


@dataclass(frozen=True)
class Controller:
    """`primary`: the cache whose keys are looked at again every scan interval; `concurrency`: 0 for the settings'."""

    name: str
    queue: WorkQueue
    reconciler: Reconciler
    routes: tuple[Route, ...]
    primary: Cache | None = None
    concurrency: int = 0

    def connect(self) -> None:
        """Let the caches fill the queue: with what they hold, and with every change from now on."""
        for route in self.routes:
            waker = _Waker(self, route)
            route.cache.on_change(waker)
            waker.live = True

    def scan(self) -> None:
        """Want every object looked at, after what is urgent."""
        for key in self.primary or ():
            self.queue.add(key, urgent=False)

    def uid_of(self, key: Key) -> str:
        body = self.primary.get(*key) if self.primary is not None else None
        return str(body["metadata"].get("uid", "")) if body else ""


class _Waker:
    """Adds to a controller's queue the keys that a change wakes. `live`: false while it is told what is stored."""

    def __init__(self, controller: Controller, route: Route) -> None:
        self._name, self._queue, self._route = controller.name, controller.queue, route
        self.live = False

    def __call__(self, old: Body | None, new: Body | None) -> None:
        in_hand = None if self._route.own_writes else IN_HAND.get()
        # What is stored already, and what the first list brings, may wait until what happens meanwhile is done.
        urgent = self.live and self._route.cache.has_synced
        for key in self._route.wakes(old, new):
            if in_hand != (self._name, key):
                self._queue.add(key, urgent=urgent)
