"""The items of a loop, as its spec lists them. Pure."""

import itertools
from collections.abc import Collection, Mapping

import msgspec

from shared.model.step import Loop
from shared.model.types import Body


def item_texts(loop: Body, indexes: Collection[int]) -> Mapping[int, str]:
    """The items of these iterations for users. Loops with `expression` or `while`, and invalid ones, list no items."""
    try:
        items = msgspec.convert(loop, Loop).written_items()
    except msgspec.ValidationError:
        return {}
    listed = enumerate(itertools.islice(items, max(indexes, default=-1) + 1))
    return {index: _text(item) for index, item in listed if index in indexes}


def _text(item: object) -> str:
    if isinstance(item, dict):
        return ", ".join(f"{key}={value}" for key, value in item.items())
    return str(item)
