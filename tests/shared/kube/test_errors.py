import orjson
import pytest

from shared.kube.client import errors

CASES = {
    "a missing object": (404, {"reason": "NotFound"}, errors.NotFound),
    "a changed object": (409, {"reason": "Conflict"}, errors.Conflict),
    "an existing name": (409, {"reason": "AlreadyExists"}, errors.AlreadyExists),
    "an invalid object": (422, {"reason": "Invalid"}, errors.Invalid),
    "a refused webhook": (400, {"reason": "BadRequest"}, errors.BadRequest),
    "an object over 3 MiB": (413, {"reason": "RequestEntityTooLarge"}, errors.TooLarge),
    "a quota": (403, {"reason": "Forbidden"}, errors.Forbidden),
    "an old version": (410, {"reason": "Gone"}, errors.Gone),
    "an expired continue token": (410, {"reason": "Expired"}, errors.Gone),
    "a busy server": (429, {}, errors.TooManyRequests),
    "a broken server": (500, {"reason": "InternalError"}, errors.Unavailable),
    "a restarting server": (503, {}, errors.Unavailable),
    "a slow server": (504, {"reason": "Timeout"}, errors.Timeout),
    "a teapot": (418, {}, errors.ApiError),
}


@pytest.mark.parametrize(("code", "status", "family"), CASES.values(), ids=CASES.keys())
def test_each_status_becomes_its_error_class(code: int, status: dict[str, str], family: type) -> None:
    error = errors.error_of(code, orjson.dumps({**status, "message": "why"}))
    assert type(error) is family
    assert (error.code, error.message, error.reason) == (code, "why", status.get("reason", ""))


RETRY_AFTER = {
    "the header": ("7", {}, 7.0),
    "the body when there is no header": ("", {"details": {"retryAfterSeconds": 3}}, 3.0),
    "one second when neither is given": ("", {}, 1.0),
    "a date, which Kubernetes never sends": ("Wed, 21 Oct 2026 07:28:00 GMT", {}, 1.0),
    "at most five minutes": ("100000", {}, 300.0),
}


@pytest.mark.parametrize(("header", "status", "want"), RETRY_AFTER.values(), ids=RETRY_AFTER.keys())
def test_retry_after_comes_from(header: str, status: dict[str, object], want: float) -> None:
    error = errors.error_of(429, status, header)
    assert isinstance(error, errors.TooManyRequests)
    assert error.retry_after == want


@pytest.mark.parametrize(
    "message", ["etcdserver: request is too large", "rpc error: trying to send message larger than max (3 vs. 2)"]
)
def test_an_object_too_large_for_etcd_is_too_large_and_not_unavailable(message: str) -> None:
    error = errors.error_of(500, {"message": message})
    assert (type(error), error.code, error.message) == (errors.TooLarge, 413, message)


def test_a_body_that_is_not_a_status_becomes_the_message() -> None:
    assert errors.error_of(502, b"<html>bad gateway</html>").message == "<html>bad gateway</html>"
    assert errors.error_of(502, b"").message == "HTTP 502"
    assert errors.error_of(502, b"[1]").message == "[1]"


def test_causes_are_those_of_the_status() -> None:
    cause = {"field": "spec.x", "reason": "FieldValueInvalid", "message": "no"}
    assert errors.error_of(422, {"details": {"causes": [cause]}}).causes == [cause]


UNCERTAIN = {
    errors.Timeout: True,
    errors.ConnectionLost: True,
    errors.Unavailable: True,
    errors.Unreachable: False,
    errors.TooManyRequests: False,
    errors.Conflict: False,
}


@pytest.mark.parametrize(("family", "want"), UNCERTAIN.items())
def test_only_errors_after_sending_leave_a_write_in_doubt(family: type[errors.ApiError], want: bool) -> None:
    assert family("x").may_have_happened is want
