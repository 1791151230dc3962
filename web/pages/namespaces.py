"""`/namespaces`: names for the choice of a namespace."""

from aiohttp import web

from shared.kinds import NAMESPACE
from web.pages.optional import listed


async def namespaces(request: web.Request) -> web.StreamResponse:
    """A JSON list; empty if the caller may not list namespaces."""
    return web.json_response(sorted(body["metadata"]["name"] for body in await listed(request, NAMESPACE)))
