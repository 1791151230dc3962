"""The security headers of every answer."""

from typing import Final

from aiohttp import web

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; worker-src 'self'"
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer browsers send forms with `Origin: null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "jobflow",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For Application.on_response_prepare, which also sees streams. Pages are never stored by caches: they are personal."""
    response.headers.update(SECURITY_HEADERS)
    fixed = "/static/" in request.path
    response.headers.setdefault("Cache-Control", "no-cache" if fixed else "no-store")
