"""Rows that users share: one in memory for each version of an object."""

from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from shared.model.types import Body


class Interned:
    """`row`: makes an immutable value that can be referenced weakly. A version of an object is the same for everybody
    whom the API server shows it."""

    def __init__(self, row: Callable[[Body], Any]) -> None:
        self._row = row
        self._known: WeakValueDictionary[tuple[str, str], Any] = WeakValueDictionary()

    def __call__(self, body: Body) -> Any:
        metadata = body["metadata"]
        key = (str(metadata.get("uid") or ""), str(metadata.get("resourceVersion") or ""))
        known = self._known.get(key)
        if known is None:
            self._known[key] = known = self._row(body)
        return known
