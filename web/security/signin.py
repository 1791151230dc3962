"""Sign-in by the one-time token of a laptop or by a bearer token of the cluster, and sign-out."""

import re
from typing import Final

from aiohttp import web

from shared.kube.client.errors import Unauthorized
from web.addresses import inside
from web.context import CALLERS, COOKIE, ONE_TIME, SESSION, SESSIONS, SETTINGS, redirect
from web.render import page
from web.sessions.browser_sessions import BrowserSession
from web.sessions.cookies import drop_cookie, set_cookie
from web.settings import SignIn

_TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750, section 2.1
_LONGEST: Final = 16 * 1024


async def start(request: web.Request) -> web.StreamResponse:
    """`/`: on a laptop the place where the one-time token becomes a cookie; then on to the flows."""
    given = request.query.get("token", "")
    if not request.app[SETTINGS].laptop or not given:
        return redirect(request, "/check" if request.app[SETTINGS].offline else "/flows")
    if not request.app[ONE_TIME].use(given):
        if SESSION in request:
            return redirect(request, "/flows")
        return page(request, "signin.html", {"fault": "This address was used before.", "next": "/"}, status=401)
    answer = redirect(request, "/")
    return _begin(request, answer, request.app[SESSIONS].begin())


async def form(request: web.Request) -> web.StreamResponse:
    return page(request, "signin.html", {"fault": "", "next": inside(request.query.get("next", "/"))})


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Checks the token by asking the API server who that is."""
    if request.app[SETTINGS].sign_in is not SignIn.TOKEN:
        raise web.HTTPNotFound
    posted = await request.post()
    token = str(posted.get("token", "")).strip()
    wanted = inside(str(posted.get("next", "/")))
    if not token or len(token) > _LONGEST or not _TOKEN.fullmatch(token):
        return _again(request, "This is not a bearer token: it has characters that none can have.", wanted)
    authorization = f"Bearer {token}"
    try:
        user = await request.app[CALLERS].bearing(authorization).who_am_i()
    except Unauthorized:
        return _again(request, "The API server does not accept this token. It may have expired.", wanted)
    if user == "system:anonymous":
        return _again(request, "The API server does not know whose token this is.", wanted)
    if SESSION in request:
        request.app[SESSIONS].end(request[SESSION].id)
    return _begin(request, redirect(request, wanted), request.app[SESSIONS].begin(authorization, user))


async def sign_out(request: web.Request) -> web.StreamResponse:
    request.app[SESSIONS].end(request[SESSION].id)
    answer = redirect(request, "/signin")
    drop_cookie(answer, request.app[COOKIE])
    return answer


def _begin(request: web.Request, answer: web.StreamResponse, session: BrowserSession) -> web.StreamResponse:
    set_cookie(answer, request.app[COOKIE], session.id)
    return answer


def _again(request: web.Request, fault: str, wanted: str) -> web.StreamResponse:
    return page(request, "signin.html", {"fault": fault, "next": wanted}, status=401)
