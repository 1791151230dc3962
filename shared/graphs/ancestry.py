"""Walks over objects that name their parent, such as Queues.

Admission refuses a parent that would create a cycle, but two racing writes, objects older than the webhook or a webhook
in Lenient mode can still store one. Every walk over stored parents therefore goes through this module, which visits each
name at most once.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

ParentOf = Callable[[str], str | None]
"""The name of an object's parent; None for an object without one and for an object that does not exist."""


def ancestors(name: str, parent_of: ParentOf) -> Iterator[str]:
    """The parents of `name`, nearest first. The walk ends before the first name that it would visit again."""
    visited = {name}
    parent = parent_of(name)
    while parent is not None and parent not in visited:
        visited.add(parent)
        yield parent
        parent = parent_of(parent)


def cycle(name: str, parent_of: ParentOf) -> tuple[str, ...]:
    """The cycle that `name` belongs to, as ("a", "b", "a"): b is the parent of a, and a of b.

    Empty when `name` belongs to none, even if one of its ancestors does.
    """
    path = (name, *ancestors(name, parent_of))
    return (*path, name) if parent_of(path[-1]) == name else ()


def descendants(name: str, children_of: Callable[[str], Iterable[str]]) -> Iterator[str]:
    """Everything below `name`, each name once and parents before their children; never `name` itself."""
    visited, waiting = {name}, deque([name])
    while waiting:
        for child in children_of(waiting.popleft()):
            if child not in visited:
                visited.add(child)
                waiting.append(child)
                yield child
