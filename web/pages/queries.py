"""Checked values of the query; invalid ones fall back to the default."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from web.context import SETTINGS

ALL_NAMESPACES: Final = "*"
_LONGEST: Final = 1000


def text(request: web.Request, name: str) -> str:
    return request.query.get(name, "").strip()[:_LONGEST]


def number(request: web.Request, name: str, default: int) -> int:
    given = request.query.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else default


def one_of(request: web.Request, name: str, allowed: Sequence[str]) -> str:
    """The first where another is given."""
    given = request.query.get(name, "")
    return given if given in allowed else allowed[0]


def namespace_of(request: web.Request) -> str:
    """The namespace that a list shows; '' for all, which the query calls `*`."""
    given = text(request, "namespace") or request.app[SETTINGS].namespace
    return "" if given == ALL_NAMESPACES else given


def may_write(request: web.Request) -> None:
    """Raises 403 on a server that only reads."""
    if request.app[SETTINGS].read_only:
        raise web.HTTPForbidden(reason="this server is read only")


def label_selector(request: web.Request) -> str:
    return text(request, "selector")
