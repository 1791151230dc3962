"""A controller: a queue of keys, a reconciler, and routes from changed objects to keys.

To add a controller, create a folder `controller/NAME/` whose `reconciler.py` defines `build(context) -> Controller`, and
add it to `CONTROLLERS` in `controller.main` or, if it is needed for Jobs only, in `controller.job_parts`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from controller.runtime.worker import CURRENT_PASS, Reconciler
from controller.runtime.workqueue import WorkQueue
from shared.key import Key
from shared.kube.cache.cache import Cache
from shared.model.types import Body

Wakes = Callable[[Body | None, Body | None], Iterable[Key]]


@dataclass(frozen=True)
class Route:
    """`wakes(old, new)` returns the keys to reconcile when an object of `cache` changes (see Cache.on_change).

    `own_writes`: whether a write by a pass wakes the key of that pass again. False saves a pass per write, where a
    decision leaves nothing to do once its writes are stored. Other keys are woken in any case. `delay`: seconds after
    which a change wakes them; several changes within it wake them once.
    """

    cache: Cache
    wakes: Wakes
    own_writes: bool = True
    delay: float = 0.0


@dataclass(frozen=True)
class Controller:
    """`primary`: the cache whose keys are added again at every scan interval; `concurrency`: 0 for the value in Settings."""

    name: str
    queue: WorkQueue
    reconciler: Reconciler
    routes: tuple[Route, ...]
    primary: Cache | None = None
    concurrency: int = 0

    def connect(self) -> None:
        """Add keys for all stored objects, and from now on for every change."""
        for route in self.routes:
            handler = _ChangeHandler(self, route)
            route.cache.on_change(handler)
            handler.live = True

    def scan(self) -> None:
        """Add the key of every object in the background."""
        for key in self.primary or ():
            self.queue.add(key, urgent=False)

    def uid_of(self, key: Key) -> str:
        body = self.primary.get(*key) if self.primary is not None else None
        return str(body["metadata"].get("uid", "")) if body else ""


class _ChangeHandler:
    """Adds the keys that a change wakes to the queue of a controller. `live`: False while it receives the stored objects."""

    def __init__(self, controller: Controller, route: Route) -> None:
        self._name, self._queue, self._route = controller.name, controller.queue, route
        self.live = False

    def __call__(self, old: Body | None, new: Body | None) -> None:
        current_pass = None if self._route.own_writes else CURRENT_PASS.get()
        # Objects that are stored already or come from the first list are less urgent than changes that happen meanwhile.
        urgent = self.live and self._route.cache.has_synced
        for key in self._route.wakes(old, new):
            if current_pass == (self._name, key):
                continue
            if self._route.delay and self.live:
                self._queue.add_after(key, self._route.delay)
            else:
                self._queue.add(key, urgent=urgent)
