import io
import json
import logging

import pytest

from shared.kube import logs

HIDDEN_CASES = {
    "a field named token": {"token": "abc"},
    "a nested password": {"request": {"db_password": "hunter2"}},
    "a bearer header in a text": {"error": "sent Authorization: Bearer abcdefghijklmnop and failed"},
    "a JWT": {"error": "eyJhbGciOiJSUzI1NiIsImtpZCI6.eyJpc3MiOiJrdWJlcm5ldGVz.c2lnbmF0dXJl"},
    "a private key": {"data": "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"},
    "a private key inside a list": {"files": ["-----BEGIN PRIVATE KEY-----\nMIIEow"]},
}
SECRETS = ("abc", "hunter2", "abcdefghijklmnop", "eyJhbG", "MIIEow")


def line(**extra: object) -> dict[str, object]:
    record = logging.makeLogRecord({"msg": "it happened", "name": "part", "levelname": "INFO", "created": 0.0, **extra})
    text = logs.JsonLines().format(record)
    assert "\n" not in text
    return dict(json.loads(text))


@pytest.mark.parametrize("extra", HIDDEN_CASES.values(), ids=HIDDEN_CASES.keys())
def test_secrets_are_hidden(extra: dict[str, object]) -> None:
    text = json.dumps(line(**extra))
    assert "(hidden)" in text
    assert not [secret for secret in SECRETS if secret in text]


def test_extra_fields_are_logged_at_the_top_level() -> None:
    assert line(namespace="ns", name_="x", tries=3, failed=None) == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "info",
        "logger": "part",
        "message": "it happened",
        "namespace": "ns",
        "name": "x",
        "tries": 3,
        "failed": None,
    }


def test_values_that_are_not_json_are_logged_as_text() -> None:
    assert line(kind={1}, where=("a", "b"))["where"] == ["a", "b"]


def test_an_exception_is_logged_with_its_stack_trace() -> None:
    stream = io.StringIO()
    logs_before = logging.getLogger().handlers[:]
    level_before = logging.getLogger().level
    try:
        logs.configure("warning", stream)
        try:
            raise ValueError("boom")
        except ValueError:
            logging.getLogger("part").exception("broken")
        logging.getLogger("part").info("too quiet")
    finally:
        logging.getLogger().handlers[:] = logs_before
        logging.getLogger().setLevel(level_before)
    written = [json.loads(text) for text in stream.getvalue().splitlines()]
    assert [entry["message"] for entry in written] == ["broken"]
    assert "ValueError: boom" in written[0]["stack"]


CLOSED = {
    "a connection that was closed under uvloop": ("the handler is closed", False),
    "a fault of our own": ("no running event loop", True),
}


@pytest.mark.parametrize(("said", "reported"), CLOSED.values(), ids=CLOSED.keys())
def test_a_closed_connection_logs_no_stack_trace(said: str, reported: bool) -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        logs.configure("warning", stream)
        error = RuntimeError(f"unable to perform operation on <TCPTransport>; {said}")
        logging.getLogger("asyncio").error("Fatal error on SSL protocol", exc_info=error)
    finally:
        root.handlers[:], root.level = before
    assert bool(stream.getvalue()) is reported
