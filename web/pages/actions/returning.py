"""Where a form leads when it is done."""

from aiohttp import web

from web.addresses import and_query, inside
from web.context import redirect


async def back_from(request: web.Request, did: str) -> web.Response:
    """To the page that the form names, which says what was done."""
    path = inside(str((await request.post()).get("back", "/")))
    return redirect(request, and_query(path, did=did, of=request.match_info["name"]))
