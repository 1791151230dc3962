"""Indexers of queues and PodGroups, and the queues that a change concerns."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from controller.runtime.routes import reference_of
from controller.runtime.workqueue import WorkQueue
from shared import names
from shared.graphs.ancestry import descendants
from shared.key import Key
from shared.kube.cache.cache import Cache
from shared.model.phases import PodGroupPhase, QueueState
from shared.model.types import Body

QUEUE_INDEX: Final = "in-queue"
PHASE_INDEX: Final = "queue-and-phase"
PARENT_INDEX: Final = "parent"
GROUP_DELAY_SECONDS: Final = 1.0  # changes of PodGroups within this time are handled together


def queue_of_group(group: Body) -> Iterator[Key]:
    yield Key("", (group.get("spec") or {}).get("queue") or names.DEFAULT_QUEUE)


def index_by_queue(group: Body) -> Iterator[str]:
    for key in queue_of_group(group):
        yield key.name


def index_by_phase(group: Body) -> Iterator[str]:
    """QUEUE/PHASE, to count groups without reading them."""
    for key in queue_of_group(group):
        yield f"{key.name}/{_phase(group)}"


def index_by_parent(queue: Body) -> Iterator[str]:
    parent = (queue.get("spec") or {}).get("parent") or names.ROOT_QUEUE
    if queue["metadata"]["name"] != names.ROOT_QUEUE:
        yield parent


def state_of(body: Body | None) -> QueueState:
    text = ((body or {}).get("status") or {}).get("state") or QueueState.OPEN.value
    return QueueState(text) if text in set(QueueState) else QueueState.UNKNOWN


def _allocated(body: Body) -> object:
    return (body.get("status") or {}).get("allocated") or {}


def _phase(group: Body) -> PodGroupPhase:
    text = (group.get("status") or {}).get("phase") or PodGroupPhase.PENDING.value
    return PodGroupPhase(text) if text in set(PodGroupPhase) else PodGroupPhase.UNKNOWN


def queue_wakes(queues: Cache) -> Callable[[Body | None, Body | None], Iterable[Key]]:
    """The queue, the queues below it, which follow its state, and its parent, which waits for it and sums its usage."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        body = new or old
        if body is None:
            return ()
        name = body["metadata"]["name"]
        parents = (Key("", parent) for each in (old, new) if each for parent in index_by_parent(each))
        if (
            old is not None
            and new is not None
            and state_of(old) is state_of(new)
            and old.get("spec") == new.get("spec")
        ):
            return (Key("", name), *(() if _allocated(old) == _allocated(new) else parents))
        below = descendants(name, lambda each: [key.name for key in queues.keys_by(PARENT_INDEX, each)])
        return (Key("", name), *(Key("", each) for each in below), *parents)

    return wakes


def group_wakes(queue: WorkQueue) -> Callable[[Body | None, Body | None], Iterable[Key]]:
    """The queue of a changed PodGroup, after a short delay."""

    def wakes(old: Body | None, new: Body | None) -> Iterable[Key]:
        for key in reference_of(old, new, queue_of_group):
            queue.add_after(key, GROUP_DELAY_SECONDS)
        return ()

    return wakes
