"""Errors of the API server by meaning, as callers distinguish them.

ApiError
|- BadRequest 400, Unauthorized 401, Forbidden 403, NotFound 404, Gone 410, Invalid 422
|- Conflict 409           the object changed since it was read
|- AlreadyExists 409      a create hit an existing name
|- TooLarge 413           the object is larger than the API server, or its store, takes
|- TooManyRequests 429    `retry_after` seconds; the request was not carried out
|- Unavailable 5xx        the server failed; a write may or may not have been carried out
   |- Timeout             no answer in time; a write may have been carried out
   |- ConnectionLost      the connection broke after sending; a write may have been carried out
   |- Unreachable         the connection was never made: nothing was carried out
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.codec.json_text import decode


class ApiError(Exception):
    """An unsuccessful answer. `code`: HTTP status, 0 without an answer; `status`: the Status body, may be empty."""

    code: int = 0

    def __init__(
        self, message: str, *, code: int | None = None, reason: str = "", status: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.status = status or {}
        if code is not None:
            self.code = code

    @property
    def causes(self) -> list[dict[str, Any]]:
        """`details.causes` of the Status: field, reason and message of each fault."""
        details = self.status.get("details") or {}
        return list(details.get("causes") or [])

    @property
    def may_have_happened(self) -> bool:
        """Whether a write that got this error may nevertheless be in the store."""
        return False


class BadRequest(ApiError):
    code = 400


class Unauthorized(ApiError):
    code = 401


class Forbidden(ApiError):
    """Missing permission, exceeded quota, refusal by an admission plugin, or a namespace that is being deleted."""

    code = 403


class NotFound(ApiError):
    code = 404


class Conflict(ApiError):
    code = 409


class AlreadyExists(ApiError):
    code = 409


class Gone(ApiError):
    """The resourceVersion or continue token is too old."""

    code = 410


class TooLarge(ApiError):
    code = 413


class Invalid(ApiError):
    code = 422


class TooManyRequests(ApiError):
    code = 429
    retry_after: float = 1.0


class Unavailable(ApiError):
    code = 503

    @property
    def may_have_happened(self) -> bool:
        return True


class Timeout(Unavailable):
    code = 504


class ConnectionLost(Unavailable):
    code = 0


class Unreachable(Unavailable):
    code = 0

    @property
    def may_have_happened(self) -> bool:
        return False


BY_REASON: Final[Mapping[str, type[ApiError]]] = {"AlreadyExists": AlreadyExists, "Expired": Gone, "Gone": Gone}
BY_CODE: Final[Mapping[int, type[ApiError]]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    422: Invalid,
    429: TooManyRequests,
    504: Timeout,
}


# kube-apiserver passes on this error of etcd as a 500 if an object is within its own limit but above etcd's.
_OVER_ETCD: Final = ("etcdserver: request is too large", "trying to send message larger than max")


def error_of(code: int, body: bytes | Mapping[str, Any], retry_after: str = "") -> ApiError:
    """The error for an HTTP status (or the `code` of a Status in a watch) and its body; `retry_after`: that header."""
    status = body if isinstance(body, Mapping) else _status(body)
    reason = str(status.get("reason") or "")
    message = str(status.get("message") or "") or (_text(body) if isinstance(body, bytes) else "") or f"HTTP {code}"
    if code == 500 and any(words in message for words in _OVER_ETCD):
        return TooLarge(message, code=TooLarge.code, reason=reason, status=status)
    family = BY_REASON.get(reason) or BY_CODE.get(code) or (Unavailable if code >= 500 else ApiError)
    error = family(message, code=code, reason=reason, status=status)
    if isinstance(error, TooManyRequests):
        error.retry_after = _seconds(retry_after, status)
    return error


def _status(body: bytes) -> Mapping[str, Any]:
    try:
        decoded = decode(body)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _text(body: bytes) -> str:
    return body[:512].decode("utf-8", "replace").strip()


def _seconds(header: str, status: Mapping[str, Any]) -> float:
    details = status.get("details") or {}
    for value in (header, str(details.get("retryAfterSeconds") or "")):
        if value.isdigit():
            return min(float(value), 300.0)
    return 1.0
