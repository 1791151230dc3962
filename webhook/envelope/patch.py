"""Build a JSON patch (RFC 6902) from a list of fields to set. Fields that already have their value add no operation."""

from collections.abc import Iterable
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
    """The patch that applies `settings` to `body`. It adds missing parents and skips fields that have their value."""
    made: set[Path] = set()
    patch: list[Body] = []
    for path, value in settings:
        found, depth = _descend(body, path)
        if depth == len(path) and found == value:
            continue
        for parent in (path[:end] for end in range(depth + 1, len(path))):
            if parent not in made:
                made.add(parent)
                patch.append(_operation("add", parent, {}))
        patch.append(_operation("replace" if depth == len(path) else "add", path, value))
    return tuple(patch)


def applied(body: Body, patch: Iterable[Body]) -> Body:
    """A patched copy of `body`. Raises jsonpatch.JsonPatchException."""
    result: Body = jsonpatch.JsonPatch(list(patch)).apply(body)
    return result


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
