"""The session's cookie: its name and attributes."""

from typing import Final

from aiohttp import web

from web.settings import WebSettings

_CLUSTER: Final = "__Host-jobflow"


def cookie_name(settings: WebSettings, port: int) -> str:
    """On a laptop the name has the port, because cookies do not tell ports apart: another local server gets them too.
    Browsers do not agree on `__Host-` and Secure for plain HTTP on 127.0.0.1, so it has neither."""
    return f"jobflow-{port}" if settings.laptop else _CLUSTER


def set_cookie(response: web.StreamResponse, name: str, value: str) -> None:
    secure = name == _CLUSTER
    response.set_cookie(name, value, path="/", httponly=True, secure=secure, samesite="Strict")


def drop_cookie(response: web.StreamResponse, name: str) -> None:
    response.del_cookie(name, path="/", secure=name == _CLUSTER, httponly=True, samesite="Strict")
