"""Build a JSON patch (RFC 6902) from a list of fields to set. Fields that already have their value add no operation."""

from collections.abc import Iterable
from copy import copy
from typing import Any, NamedTuple

import jsonpatch
import jsonpointer

from shared.model.types import Body

Path = tuple[str | int, ...]


class Setting(NamedTuple):
    """A field and the value to set: `Setting(("spec", "tasks", 0, "name"), "default0")`."""

    path: Path
    value: Any


def operations(body: Body, settings: Iterable[Setting]) -> tuple[Body, ...]:
    """The patch that applies `settings` to `body`. It adds missing parents and skips fields that have their value.

    It also skips fields of what is no map or list, such as labels that are a text: the schema refuses those.
    """
    made: set[Path] = set()
    patch: list[Body] = []
    for path, value in settings:
        found, depth = _descend(body, path)
        if depth == len(path):
            if found == value:
                continue
        elif not isinstance(found, list if isinstance(path[depth], int) else dict):
            continue
        for parent in (path[:end] for end in range(depth + 1, len(path))):
            if parent not in made:
                made.add(parent)
                patch.append(_operation("add", parent, {}))
        patch.append(_operation("replace" if depth == len(path) else "add", path, value))
    return tuple(patch)


def applied(body: Body, patch: Iterable[Body]) -> Body:
    """A patched copy of `body`, which shares what the patch leaves as it is. Raises jsonpatch.JsonPatchException.

    `patch` consists of the operations add and replace.
    """
    steps = list(patch)
    parents = {tuple(jsonpointer.JsonPointer(step["path"]).parts[:-1]) for step in steps}
    result: Body = jsonpatch.JsonPatch(steps).apply(_with_own(body, parents), in_place=True)
    return result


def _with_own(body: Any, paths: Iterable[tuple[str, ...]]) -> Any:
    """A copy of `body` whose objects and lists along `paths` are copies, and whose other values are those of `body`."""
    if not isinstance(body, dict | list):
        return body
    own: Any = copy(body)
    below: dict[str, list[tuple[str, ...]]] = {}
    for first, *rest in filter(None, paths):
        below.setdefault(first, []).append(tuple(rest))
    for part, rests in below.items():
        if isinstance(own, dict) and part in own:
            own[part] = _with_own(own[part], rests)
        elif isinstance(own, list) and part.isdecimal() and int(part) < len(own):
            own[int(part)] = _with_own(own[int(part)], rests)
    return own


def value_at(body: Any, path: Path) -> Any:
    """The value at `path`, or None if the path does not exist."""
    found, depth = _descend(body, path)
    return found if depth == len(path) else None


def _descend(body: Any, path: Path) -> tuple[Any, int]:
    """Follow `path` as far as it exists: the value reached and the number of parts followed. null counts as absent."""
    for depth, part in enumerate(path):
        if isinstance(part, int):
            step = body[part] if isinstance(body, list) and part < len(body) else None
        else:
            step = body.get(part) if isinstance(body, dict) else None
        if step is None:
            return body, depth
        body = step
    return body, len(path)


def _operation(op: str, path: Path, value: Any) -> Body:
    pointer = "".join(f"/{jsonpointer.escape(str(part))}" for part in path)
    return {"op": op, "path": pointer, "value": value}
