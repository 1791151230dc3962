"""The transport of short commands: blocking requests without an event loop."""

import asyncio
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from certs.issue import issue_serving, new_authority
from shared.kinds import POD
from shared.kube.client import errors, requests
from shared.kube.client.access import Access, Credentials
from shared.kube.client.api import Api
from shared.kube.client.connect import plain
from shared.kube.client.one_shot.connection import BlockingConnection
from shared.kube.client.one_shot.transport import OneShotTransport
from shared.kube.client.requests import Request
from tests.shared.kube.one_shot.threaded import Answering, ThreadedHandler, threaded

GET = requests.get(POD, "ns", "p")
SECONDS = 10.0
FOUND = {"kind": "Pod", "metadata": {"name": "p"}}


def found(handler: ThreadedHandler) -> None:
    handler.answer(FOUND)


def test_requests_share_a_connection() -> None:
    with threaded(found) as (server, address):
        connection = BlockingConnection(plain(address))
        bodies = {connection.exchange(GET, {}, SECONDS).body for _ in range(3)}
        connection.close()
    assert (len(bodies), server.connections) == (1, 1)


def test_a_connection_that_the_server_has_closed_is_made_again() -> None:
    def closing(handler: ThreadedHandler) -> None:
        handler.answer(FOUND, Connection="close")

    with threaded(closing) as (server, address):
        connection = BlockingConnection(plain(address))
        codes = [connection.exchange(GET, {}, SECONDS).code for _ in range(3)]
        connection.close()
    assert (codes, server.connections) == ([200] * 3, 3)


def test_an_answer_in_chunks_is_read_whole() -> None:
    def chunks(handler: ThreadedHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for part in (b"a" * 70_000, b"b", b""):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

    with threaded(chunks) as (server, address):
        connection = BlockingConnection(plain(address))
        bodies = [connection.exchange(GET, {}, SECONDS).body for _ in range(2)]
        connection.close()
    assert (bodies, server.connections) == ([b"a" * 70_000 + b"b"] * 2, 1)


def test_the_path_of_the_address_and_all_warnings_are_kept() -> None:
    def warns(handler: ThreadedHandler) -> None:
        handler.answer(FOUND, 429, Warning='299 - "old"', Retry_After="7")

    with threaded(warns) as (server, address):
        answer = BlockingConnection(plain(f"{address}/clusters/c1")).exchange(GET, {}, SECONDS)
    assert (answer.code, answer.retry_after, answer.warnings) == (429, "7", ('299 - "old"',))
    assert server.seen[0][1] == "/clusters/c1/api/v1/namespaces/ns/pods/p"


def hangs(handler: ThreadedHandler) -> None:
    time.sleep(0.5)
    handler.close_connection = True


def breaks(handler: ThreadedHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.close_connection = True


FAULTS = {
    "no answer in time": (hangs, 0.05, errors.Timeout),
    "half an answer": (breaks, SECONDS, errors.ConnectionLost),
}


@pytest.mark.parametrize(("answering", "seconds", "family"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_has_a_family_and_does_not_harm_the_next_request(
    answering: Answering, seconds: float, family: type[errors.ApiError]
) -> None:
    with threaded(answering) as (server, address):
        connection = BlockingConnection(plain(address))
        with pytest.raises(family):
            connection.exchange(GET, {}, seconds)
        server.answering = found
        assert connection.exchange(GET, {}, SECONDS).code == 200
        connection.close()


def test_a_server_that_does_not_listen_is_unreachable() -> None:
    with pytest.raises(errors.Unreachable, match=r"cannot reach http://127\.0\.0\.1:1: .*refused"):
        BlockingConnection(plain("http://127.0.0.1:1")).exchange(GET, {}, SECONDS)


def _tls(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A server with a certificate for api.test, and its CA."""
    now = datetime.fromtimestamp(time.time() - 3600, UTC)
    authority = new_authority("test", now)
    pair = issue_serving(authority, ("api.test",), now)
    (folder / "both.pem").write_bytes(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context, authority.certificate.decode()


def test_the_certificate_must_have_the_name_that_the_kubeconfig_gives(tmp_path: Path) -> None:
    context, authority = _tls(tmp_path)
    with threaded(found, context) as (_, address):
        named = Access(Credentials(address, ca_data=authority, server_name="api.test"))
        assert BlockingConnection(named).exchange(GET, {}, SECONDS).code == 200
        with pytest.raises(errors.Unreachable, match="certificate"):
            BlockingConnection(Access(Credentials(address, ca_data=authority))).exchange(GET, {}, SECONDS)


def test_no_event_loop_is_needed_also_when_a_request_is_sent_again() -> None:
    answers = [(401, {}), (429, {}), (200, FOUND)]
    tokens = []

    def one_after_the_other(handler: ThreadedHandler) -> None:
        tokens.append(handler.headers["Authorization"])
        code, body = answers.pop(0)
        handler.answer(body, code)

    async def fresh(renew: bool) -> Credentials:
        return Credentials(address, "Bearer second")

    async def work() -> str:
        transport = OneShotTransport(Access(Credentials(address, "Bearer first"), fresh), user_agent="test")
        async with Api(transport) as api:
            return str((await api.get(POD, "ns", "p"))["metadata"]["name"])

    with threaded(one_after_the_other) as (_, address), pytest.raises(StopIteration) as ended:
        work().send(None)
    assert (ended.value.value, tokens) == ("p", ["Bearer first", "Bearer second", "Bearer second"])


@pytest.mark.parametrize("code", [None, 429])
def test_patience_is_for_all_tries_together(code: int | None) -> None:
    """Of a server that does not answer, and of one that asks to come again."""
    tries = 0

    def busy(handler: ThreadedHandler) -> None:
        nonlocal tries
        tries += 1
        if code is None:
            time.sleep(1.0)
        handler.answer({}, code or 200, **{"Retry-After": "1"})

    async def work() -> None:
        async with Api(OneShotTransport(plain(address), user_agent="test", patience=0.3)) as api:
            await api.get(POD, "ns", "p")

    with threaded(busy) as (_, address), pytest.raises(errors.Timeout):
        work().send(None)
    assert tries < 3  # a second one if it fits in


async def test_a_stream_does_not_keep_other_requests_waiting() -> None:
    def stream(handler: ThreadedHandler) -> None:
        if handler.path.endswith("/log"):
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(b"line\n")
            handler.wfile.flush()
            time.sleep(0.2)
            handler.close_connection = True
        else:
            handler.answer(FOUND)

    with threaded(stream) as (_, address):
        transport = OneShotTransport(plain(address), user_agent="test")
        async with transport.stream(Request("get", "GET", "/log"), SECONDS) as (code, content, _):
            line, answer = await asyncio.gather(content.readline(), transport.send(GET, SECONDS))
            assert (code, line, answer.code) == (200, b"line\n", 200)
        await transport.close()


@pytest.mark.parametrize("code", [None, 429, 503])
def test_the_total_is_for_all_tries_of_one_request(code: int | None) -> None:
    """Of a server that does not answer, of one that asks to come again, and of one that fails."""

    def busy(handler: ThreadedHandler) -> None:
        if code is None:
            time.sleep(1.0)
        handler.answer({}, code or 200, **{"Retry-After": "60"})

    async def work() -> None:
        transport = OneShotTransport(plain(address), user_agent="test")
        async with Api(transport, timeout=0.05, total=0.05) as api:
            await api.get(POD, "ns", "p")

    with threaded(busy) as (server, address):
        with pytest.raises(errors.ApiError) as raised:
            work().send(None)
        assert len(server.seen) <= (1 if code in (None, 429) else 5)
    if code is None:
        assert raised.value.message == f"{address} has not answered GET /api/v1/namespaces/ns/pods/p within 0.05 s"


def test_a_request_is_not_sent_again_when_new_credentials_come_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0

    async def late(renew: bool) -> Credentials:
        nonlocal now
        now += SECONDS + 1
        return Credentials(address, "Bearer second")

    async def work() -> None:
        transport = OneShotTransport(Access(Credentials(address, "Bearer first"), late), user_agent="test")
        async with Api(transport, total=SECONDS) as api:
            await api.get(POD, "ns", "p")

    clock = SimpleNamespace(monotonic=lambda: now, perf_counter=lambda: now)
    monkeypatch.setattr("shared.kube.client.sender.time", clock)
    with threaded(lambda handler: handler.answer({}, 401)) as (server, address):
        with pytest.raises(errors.Timeout, match="no time for another try"):
            work().send(None)
        assert len(server.seen) == 1
