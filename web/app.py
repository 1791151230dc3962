"""Builds the application: middlewares, routes, templates."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from aiohttp import web

from web import context
from web.cluster.caller import Callers
from web.cluster.open_streams import OpenStreams
from web.errors import errors_as_pages
from web.live_rows import live_hub
from web.pages import ROUTES
from web.render import environment
from web.security import signin
from web.security.guard import guard
from web.security.headers import add_security_headers
from web.sessions.browser_sessions import BrowserSessions
from web.sessions.cookies import cookie_name
from web.sessions.one_time import OneTimeToken
from web.settings import WebSettings

STATIC: Final = Path(__file__).parent / "static"
BODY_LIMIT: Final = 3 * 1024 * 1024  # of a form: as much as the API server takes


def build_app(
    settings: WebSettings, callers: Callers | None, *, port: int = 0, one_time_token: str = ""
) -> web.Application:
    """`callers`: None without a cluster; `port`: the one it is served at, which is part of a laptop's cookie name."""
    app = web.Application(middlewares=[errors_as_pages, guard], client_max_size=BODY_LIMIT)
    app[context.SETTINGS] = settings
    app[context.SESSIONS] = BrowserSessions()
    app[context.TEMPLATES] = environment(settings.base_path)
    app[context.ONE_TIME] = OneTimeToken(one_time_token)
    app[context.COOKIE] = cookie_name(settings, port)
    app[context.STREAMS] = streams = OpenStreams()
    app[context.SESSIONS].on_end.append(lambda session: streams.close(session.id))
    app[context.HUB] = live_hub()
    app.cleanup_ctx.append(_hub_runs)
    if callers is not None:
        app[context.CALLERS] = callers
    app.on_response_prepare.append(add_security_headers)
    app.add_routes(_routes(settings.base_path))
    return app


def _routes(base: str) -> list[web.AbstractRouteDef]:
    return [
        web.get(f"{base}/", signin.start),
        web.get("/healthz", _healthz),
        web.get(f"{base}/signin", signin.form),
        web.post(f"{base}/signin", signin.sign_in),
        web.post(f"{base}/signout", signin.sign_out),
        web.static(f"{base}/static", STATIC),
        *(web.route(method, base + path, handler) for method, path, handler in ROUTES),
    ]


async def _hub_runs(app: web.Application) -> AsyncIterator[None]:
    running = asyncio.create_task(app[context.HUB].run())
    yield
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def _healthz(request: web.Request) -> web.Response:
    return web.Response(text="ok")
