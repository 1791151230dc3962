"""Cuts lists into pages. Pure."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

PAGE_ROWS: Final = 100


class RowsPage(msgspec.Struct, frozen=True):
    """`page`: from 1; `found`: rows of all pages."""

    rows: tuple[Any, ...]
    page: int
    pages: int
    found: int


def cut(rows: Sequence[Any], page: int, size: int = PAGE_ROWS) -> RowsPage:
    """A page beyond the last is the last one."""
    pages = max(-(-len(rows) // size), 1)
    page = min(max(page, 1), pages)
    return RowsPage(tuple(rows[(page - 1) * size : page * size]), page, pages, len(rows))
