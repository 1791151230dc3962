"""Error pages: missing rights, missing objects, servers that do not answer."""

import logging
from typing import Final

from aiohttp import web

from shared.kube.client.errors import ApiError, Unauthorized
from web.cluster.live_hub import TooManyStreams
from web.context import COOKIE, SESSION, SESSIONS, SETTINGS
from web.faults import (
    Fault,
    TooLate,
    UnfitForm,
    fault_of,
    missing_page,
    odd_request,
    our_fault,
    refused_request,
    too_late,
    unfit_form,
)
from web.render import page
from web.security.guard import Handler, RefusedRequest
from web.sessions.cookies import drop_cookie
from web.settings import SignIn

LOG: Final = logging.getLogger(__name__)


@web.middleware
async def errors_as_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedRequest as error:
        return _page(request, refused_request(str(error)))
    except TooLate as error:
        return _page(request, too_late(str(error)))
    except UnfitForm as error:
        return _page(request, unfit_form(str(error)))
    except ApiError as error:
        if isinstance(error, Unauthorized):
            return _signed_out(request)
        return _page(request, fault_of(error))
    except TooManyStreams:
        return web.Response(status=429, headers={"Retry-After": "30"}, text="too many open streams")
    except web.HTTPUnauthorized:
        return _signed_out(request)
    except web.HTTPNotFound:
        return _page(request, missing_page(request.path))
    except web.HTTPException as answer:
        return _page(request, odd_request(answer.status, answer.reason))
    except Exception:
        LOG.exception("page failed", extra={"path": request.path})
        return _page(request, our_fault())


def _page(request: web.Request, fault: Fault) -> web.Response:
    return page(request, "fault.html", {"fault": fault}, status=fault.status)


def _signed_out(request: web.Request) -> web.StreamResponse:
    """The credentials are not valid, or no longer valid, so the session is useless."""
    if request.app[SETTINGS].sign_in is not SignIn.TOKEN:
        return _page(request, fault_of(Unauthorized("Unauthorized")))
    if SESSION in request:
        request.app[SESSIONS].end(request[SESSION].id)
        del request[SESSION]
    said = {"fault": "You are signed out: the token has expired or was withdrawn.", "next": "/"}
    answer = page(request, "signin.html", said, status=401)
    drop_cookie(answer, request.app[COOKIE])
    return answer
