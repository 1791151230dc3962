"""The log of decisions: one line per refusal and warning, with who and what, without the object, and bounded."""

import io
import logging
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import RawTestServer, TestClient

from shared.kube.logs import JsonLines
from tests.webhook.make import envelope, flow, known, review, step, template
from tests.webhook.policies.make import policy
from tests.webhook.policies.test_exceptions import ALLOWED, CREATED, exception
from webhook.envelope.review import AdmissionVerdict
from webhook.server.decision_log import DecisionLog
from webhook.server.handler import AdmissionHandler


class FakeSeconds:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def never(seconds: float, call: Callable[[], None]) -> None:
    """Nothing is called later."""


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The lines as the process writes them."""
    return [
        orjson.loads(JsonLines().format(record)) for record in caplog.records if record.name.endswith("decision_log")
    ]


async def send(handler: AdmissionHandler, body: dict[str, Any], path: str = "/jobflows/validate") -> None:
    async with TestClient(RawTestServer(handler)) as client:
        response = await client.post(path, data=envelope(review(body)))
        assert response.status == 200


async def test_a_refusal_is_one_line_with_who_and_what(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    body = flow(step("a", "nowhere"), step("b", "b"))
    body["metadata"]["annotations"] = {"note": "confidential"}
    await send(AdmissionHandler(known()), body)
    (line,) = lines(caplog)
    assert line["ms"] >= 0
    assert {key: line[key] for key in line if key not in ("time", "level", "logger", "ms", "uid")} == {
        "message": "admission decision",
        "decision": "refused",
        "user": "kubernetes-admin",
        "operation": "CREATE",
        "kind": "JobFlow.flow.volcano.sh",
        "namespace": "ns1",
        "name": "f",
        "rules": ["targets_exist", "no_cycle"],
        "policies": [],
        "policy_rules": [],
        "object_uid": "",
    }
    assert "confidential" not in str(line)
    assert "nowhere" not in str(line)


async def test_a_warning_names_the_rule_and_the_policy(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    limit = policy("small", mode="Warn", limits={"maxSteps": 1})
    await send(AdmissionHandler(known(limit, template(name="a"))), flow(step("a"), step("b")))
    (line,) = lines(caplog)
    assert line["decision"] == "warned"
    assert line["rules"] == ["templates_not_found_yet"]
    assert line["policies"] == ["small"]


async def test_an_allowed_review_leaves_no_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await send(AdmissionHandler(known(template(name="a"))), flow(step("a")))
    assert lines(caplog) == []


def test_above_a_rate_lines_are_left_out_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = FakeSeconds()
    log = DecisionLog(clock, later=never, rate=10, burst=5)
    warned = AdmissionVerdict(warnings=("x",))
    for _ in range(20):
        log.note(review(flow(step("a"))), warned, 0.001)
    assert len(lines(caplog)) == 5
    clock.now += 0.2
    log.note(review(flow(step("a"))), warned, 0.001)
    assert len(lines(caplog)) == 6
    assert lines(caplog)[-1]["suppressed"] == 15
    clock.now += 0.2
    log.note(review(flow(step("a"))), warned, 0.001)
    assert "suppressed" not in lines(caplog)[-1]


def test_long_names_are_cut(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    body = flow(step("a"), name="x" * 1000)
    DecisionLog(FakeSeconds(), never).note(review(body), AdmissionVerdict(warnings=("x",)), 0.001)
    assert len(lines(caplog)[0]["name"]) == 253


async def test_a_refusal_by_a_policy_names_policy_rule_and_the_object(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    body = flow(step("a"))
    body["metadata"]["uid"] = "7d2e"
    house = policy(limits={"maxSteps": 0}, rules=[{"name": "never", "expression": "false", "message": "secret"}])
    await send(AdmissionHandler(known(house, policy("mild", mode="Warn", limits={"maxSteps": 0}))), body)
    (line,) = lines(caplog)
    assert (line["user"], line["namespace"], line["name"], line["object_uid"]) == (
        "kubernetes-admin",
        "ns1",
        "f",
        "7d2e",
    )
    assert (line["policies"], line["policy_rules"]) == (["house"], ["house/limits.maxSteps", "house/rules.never"])
    assert "secret" not in str(line)


async def test_the_use_of_an_exception_is_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    house = policy(limits={"maxSteps": 0}, **ALLOWED)
    handler = AdmissionHandler(known(house, exception(name="once")), wall_clock=lambda: CREATED + 1)
    await send(handler, flow(step("a")))
    (line,) = lines(caplog)
    assert (line["decision"], line["policies"], line["exceptions"]) == ("warned", [], ["once"])


def test_lines_that_were_left_out_are_counted_if_no_other_follows(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    due = list[Callable[[], None]]()
    log = DecisionLog(FakeSeconds(), later=lambda _, call: due.append(call), rate=10, burst=5)
    for _ in range(20):
        log.note(review(flow(step("a"))), AdmissionVerdict(warnings=("x",)), 0.001)
    (count,) = due
    count()
    assert [line.get("suppressed") for line in lines(caplog)] == [None] * 5 + [15]
    assert lines(caplog)[-1]["message"] == "admission decisions left out"
    count()
    assert len(lines(caplog)) == 6


REQUESTS: dict[str, tuple[str, str, bytes, int, str]] = {
    "an unknown path": ("POST", "/jobflow\x1b/validate", b"{}", 404, "NotFound"),
    "another method": ("PUT", "/jobflows/validate", b"{}", 405, "MethodNotAllowed"),
    "no JSON": ("POST", "/jobflows/validate", b"{confidential", 400, "BadRequest"),
    "another object": ("POST", "/jobflows/validate", b'{"request":{"object":"confidential"}}', 400, "BadRequest"),
    "too much": ("POST", "/jobflows/validate", b"confidential" * 300_000, 413, "RequestEntityTooLarge"),
}


@pytest.mark.parametrize("case", REQUESTS)
async def test_a_request_that_is_not_judged_is_one_line_without_its_body(
    caplog: pytest.LogCaptureFixture, case: str
) -> None:
    caplog.set_level(logging.INFO)
    method, path, data, code, reason = REQUESTS[case]
    async with TestClient(RawTestServer(AdmissionHandler(known()))) as client:
        response = await client.request(method, path, data=io.BytesIO(data))
        assert response.status == code
    (line,) = lines(caplog)
    assert (line["message"], line["decision"]) == ("admission request refused", "refused")
    assert (line["path"], line["code"], line["reason"], line["bytes"]) == (path, code, reason, len(data))
    assert "confidential" not in str(line)


async def test_requests_that_are_not_judged_never_hide_decisions(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = DecisionLog(FakeSeconds(), later=never, rate=10, burst=5)
    for _ in range(20):
        log.refused_request("/nowhere", 404, "NotFound", None)
    log.note(review(flow(step("a"))), AdmissionVerdict(warnings=("x",)), 0.001)
    assert [line["message"] for line in lines(caplog)] == ["admission request refused"] * 5 + ["admission decision"]
