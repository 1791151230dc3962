"""Checks every request before its page: Host, session, Origin and CSRF token."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

from aiohttp import web

from web.context import CALLER, CALLERS, COOKIE, SESSION, SESSIONS, SETTINGS, redirect
from web.security.origins import host_allowed, origin_allowed
from web.sessions.browser_sessions import BrowserSession
from web.sessions.cookies import set_cookie
from web.settings import SignIn

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OPEN: Final = ("/signin", "/healthz")
"""Paths that need no session, beside static files."""
WITHOUT_CLUSTER: Final = ("/", "/check", "/drawing.css", "/signout")
_BEARER: Final = "Bearer "


class RefusedRequest(Exception):
    """A request that is refused because of its origin. The text says what to do."""


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    settings = request.app[SETTINGS]
    path = request.path.removeprefix(settings.base_path)
    if not host_allowed(request.host, settings.allowed_hosts) and path != "/healthz":
        raise RefusedRequest("this server does not answer to that host name")
    session = request.app[SESSIONS].find(request.cookies.get(request.app[COOKIE], ""))
    if session is not None and settings.sign_in is not SignIn.PROXY:
        request[SESSION] = session
        _identify(request, session)
    if request.method not in ("GET", "HEAD"):
        await _check_write(request, session)
    if path in OPEN or path.startswith("/static/"):
        return await handler(request)
    if settings.sign_in is SignIn.PROXY:
        return await _behind_proxy(request, session, handler)
    if session is None:
        if settings.laptop and request.query.get("token"):
            return await handler(request)
        return _to_sign_in(request)
    if settings.offline and path not in WITHOUT_CLUSTER:
        return redirect(request, "/check")
    return await handler(request)


def _identify(request: web.Request, session: BrowserSession) -> None:
    if CALLERS in request.app:
        callers = request.app[CALLERS]
        request[CALLER] = callers.bearing(session.authorization) if session.authorization else callers.own


async def _behind_proxy(request: web.Request, session: BrowserSession | None, handler: Handler) -> web.StreamResponse:
    """The proxy says who it is with each request; the session has only the CSRF token."""
    authorization = request.headers.get("Authorization", "")
    if not authorization.startswith(_BEARER):
        raise web.HTTPUnauthorized
    request[CALLER] = request.app[CALLERS].bearing(authorization)
    fresh = session is None
    request[SESSION] = found = session or request.app[SESSIONS].begin()
    response = await handler(request)
    if fresh and not response.prepared:
        set_cookie(response, request.app[COOKIE], found.id)
    return response


async def _check_write(request: web.Request, session: BrowserSession | None) -> None:
    """Raises RefusedRequest unless the request was sent by one of our own pages of this session."""
    laptop = request.app[SETTINGS].laptop
    if not origin_allowed(request.headers.get("Origin", ""), request.host, laptop=laptop):
        raise RefusedRequest("this form was sent from another site")
    if session is None:
        return  # the sign-in form; everything else needs a session
    given = request.headers.get("X-CSRF-Token") or str((await request.post()).get("csrf", ""))
    if not hmac.compare_digest(given.encode(), session.csrf.encode()):
        raise RefusedRequest("this page is of an earlier sign-in: load it again, then repeat what you wanted to do")


_AGAIN: Final = '<!doctype html><html lang="en"><meta http-equiv="refresh" content="0"><title>jobflow</title></html>'


def _to_sign_in(request: web.Request) -> web.StreamResponse:
    """A browser withholds a strict cookie when a link on another site leads here, but sends it when our own page leads to
    the same address: such a page is answered first."""
    if request.method == "GET" and request.headers.get("Sec-Fetch-Site") == "cross-site":
        return web.Response(text=_AGAIN, content_type="text/html")
    if request.method not in ("GET", "HEAD"):
        raise web.HTTPUnauthorized
    wanted = request.rel_url.raw_path_qs.removeprefix(request.app[SETTINGS].base_path)
    return redirect(request, f"/signin?next={quote(wanted, safe='')}")
