"""Values that handlers read from the application and from a request."""

from typing import Final

from aiohttp import web
from jinja2 import Environment

from web.cluster.caller import Caller, Callers
from web.cluster.live_hub import LiveHub
from web.cluster.open_streams import OpenStreams
from web.sessions.browser_sessions import BrowserSession, BrowserSessions
from web.sessions.one_time import OneTimeToken
from web.settings import WebSettings

SETTINGS: Final = web.AppKey("settings", WebSettings)
SESSIONS: Final = web.AppKey("sessions", BrowserSessions)
CALLERS: Final = web.AppKey("callers", Callers)
HUB: Final = web.AppKey("hub", LiveHub)
STREAMS: Final = web.AppKey("streams", OpenStreams)
TEMPLATES: Final = web.AppKey("templates", Environment)
ONE_TIME: Final = web.AppKey("one_time", OneTimeToken)
COOKIE: Final = web.AppKey("cookie", str)

SESSION: Final = web.RequestKey("session", BrowserSession)
CALLER: Final = web.RequestKey("caller", Caller)


def caller(request: web.Request) -> Caller:
    """The API server with the rights of the user who sent the request."""
    return request[CALLER]


def redirect(request: web.Request, path: str) -> web.Response:
    """Redirects the browser (GET) to a path below the base path: `/flows` -> `/jobflow/flows`."""
    return web.Response(status=303, headers={"Location": request.app[SETTINGS].base_path + path})
