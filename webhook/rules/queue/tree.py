"""The tree of queues: parents, depth, hierarchy annotations, and deletion (docs/design/volcano-behaviour.md, section 2.5)."""

from collections.abc import Iterator
from typing import Final

from shared import kinds, quantity
from shared.graphs.ancestry import ancestors, cycle
from shared.names import DEFAULT_QUEUE, HIERARCHY, HIERARCHY_WEIGHTS, ROOT_QUEUE
from shared.violation import Reason, Violation
from webhook.hints.names import did_you_mean
from webhook.subject.lookups import name_at, parent_of, queue_children
from webhook.subject.plain_subjects import QueueSubject
from webhook.subject.subjects import body_or_empty

MAX_DEPTH: Final = 5


def parent_exists(queue: QueueSubject) -> Iterator[Violation]:
    parent = parent_of(queue.raw)
    if not _reparented(queue) or parent == ROOT_QUEUE:
        return
    if parent == queue.name:
        message = f"queue {queue.name} cannot use itself as parent: remove parent to use root"
        yield Violation("spec.parent", message, parent)
    elif queue.lookups.complete and queue.lookups.get(kinds.QUEUE, "", parent) is None:
        hint = did_you_mean(parent, (name_at(body) for body in queue.lookups.all(kinds.QUEUE)))
        message = f'parent queue not found{hint or "."} Create Queue "{parent}" first, or remove parent to use root'
        yield Violation("spec.parent", message, parent, Reason.NOT_FOUND)


def tree_is_not_too_deep(queue: QueueSubject) -> Iterator[Violation]:
    parent = parent_of(queue.raw)
    if not _reparented(queue) or parent == queue.name:
        return

    def stored_parent(name: str) -> str | None:
        body = queue.raw if name == queue.name else queue.lookups.get(kinds.QUEUE, "", name)
        above = ROOT_QUEUE if body is None else parent_of(body)
        return None if above == ROOT_QUEUE else above

    above = list(ancestors(queue.name, stored_parent))
    if path := cycle(queue.name, stored_parent):
        yield Violation("spec.parent", f"would create a cycle: {' -> '.join(path)}", parent)
    elif above and (path := cycle(above[-1], stored_parent)):
        message = f"its ancestors form a cycle: {' -> '.join(path)}; change the parent of one of them first"
        yield Violation("spec.parent", message, parent)
    elif len(above) >= MAX_DEPTH:
        message = f"queue {queue.name} exceeds the maximum allowed depth of {MAX_DEPTH}: choose a parent nearer to root"
        yield Violation("spec.parent", message, parent)


def parent_runs_no_pods(queue: QueueSubject) -> Iterator[Violation]:
    """A leaf queue with pods cannot get children: queues with children accept no Jobs."""
    parent = parent_of(queue.raw)
    body = queue.lookups.get(kinds.QUEUE, "", parent)
    if not _reparented(queue) or parent in (ROOT_QUEUE, queue.name) or body is None:
        return
    pods = body_or_empty(body_or_empty(body.get("status")).get("allocated")).get("pods")
    runs = pods is not None and quantity.fault(pods) is None and quantity.quantity(pods).nanos > 0
    if runs and not queue_children(queue.lookups, parent):
        message = (
            f"queue {parent} cannot be the parent queue of queue {queue.name} because it has allocated Pods: {pods}; "
            "choose another parent, or wait until they have ended"
        )
        yield Violation("spec.parent", message, parent)


def hierarchy_has_a_weight_a_level(queue: QueueSubject) -> Iterator[Violation]:
    path, weights = queue.annotations.get(HIERARCHY, ""), queue.annotations.get(HIERARCHY_WEIGHTS, "")
    if not path and not weights:
        return
    where = f"metadata.annotations[{HIERARCHY_WEIGHTS}]"
    if len(path.split("/")) != len(weights.split("/")):
        yield Violation(where, f"must have as many parts as {HIERARCHY} ({path})", weights)
    for weight in weights.split("/"):
        if not _positive(weight):
            yield Violation(where, f"{weight!r} is not a number greater than 0", weights)


def hierarchy_ends_at_a_leaf(queue: QueueSubject) -> Iterator[Violation]:
    path = queue.annotations.get(HIERARCHY, "")
    for body in queue.lookups.all(kinds.QUEUE) if path else ():
        other = body_or_empty(body["metadata"].get("annotations")).get(HIERARCHY)
        if name_at(body) != queue.name and isinstance(other, str) and other.startswith(f"{path}/"):
            message = f"is a parent in the hierarchy of queue {name_at(body)} ({other}); it must end at a leaf"
            yield Violation(f"metadata.annotations[{HIERARCHY}]", message, path)


def built_in_queues_stay(queue: QueueSubject) -> Iterator[Violation]:
    if queue.name in (DEFAULT_QUEUE, ROOT_QUEUE):
        yield Violation("metadata.name", f"`{queue.name}` queue can not be deleted", reason=Reason.FORBIDDEN)


def parents_outlive_their_children(queue: QueueSubject) -> Iterator[Violation]:
    children = [name_at(body) for body in queue_children(queue.lookups, queue.name)]
    if children and queue.name != ROOT_QUEUE:
        message = f"queue {queue.name} can not be deleted because it has {len(children)} child queues: {', '.join(children[:10])}; delete those first"
        yield Violation("metadata.name", message, reason=Reason.FORBIDDEN)


def _reparented(queue: QueueSubject) -> bool:
    return queue.old is None or parent_of(queue.old) != parent_of(queue.raw)


def _positive(text: str) -> bool:
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False
