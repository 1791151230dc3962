"""A valid pod template, and variants with one change."""

from copy import deepcopy
from typing import Any

BASE: dict[str, Any] = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


def template(path: str = "", value: Any = None) -> dict[str, Any]:
    """`path`: `spec.hostname`, or `c.env` for a field of the first container."""
    made = deepcopy(BASE)
    if path:
        holder: Any = made
        *way, last = (f"spec.containers.0{path[1:]}" if path.startswith("c.") else path).split(".")
        for key in way:
            holder = holder[int(key)] if isinstance(holder, list) else holder.setdefault(key, {})
        holder[last] = value
    return made
