"""How audit logs are parsed."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from bench.audit import AuditLogTrail, CountedRequest, costs, of_agent, parse, parse_record, tally


def event(verb: str = "create", resource: str = "jobs", sub: str = "", code: int = 201, **more: Any) -> bytes:
    place = {"resource": resource, "namespace": "ns", "name": "x"} | ({"subresource": sub} if sub else {})
    said = {"stage": "ResponseComplete", "verb": verb, "userAgent": "jobflow-controller", "objectRef": place}
    return orjson.dumps(said | {"responseStatus": {"code": code}} | more) + b"\n"


def asked(
    verb: str = "create", resource: str = "jobs", code: int = 200, agent: str = "jobflow-controller"
) -> CountedRequest:
    return CountedRequest(agent, verb, resource, code)


LINES = {
    "a creation": (event(), [asked(code=201)]),
    "a status": (event("update", "jobflows", "status", 409), [asked("update", "jobflows/status", 409)]),
    "a request that is still in progress": (event(stage="ResponseStarted"), []),
    "a path that is no resource": (event(objectRef=None), []),
    "a line that is not whole yet": (event()[:-1], []),
}


@pytest.mark.parametrize(("line", "wanted"), LINES.values(), ids=LINES)
def test_a_line_of_the_audit_log_is_parsed(line: bytes, wanted: list[CountedRequest]) -> None:
    assert list(parse([line])) == wanted


def test_the_log_is_read_from_the_given_position(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(event("create"))
    trail = AuditLogTrail(log)
    trail.mark()
    with log.open("ab") as stream:
        stream.write(event("patch", code=200))
    assert [each.verb for each in trail.since()] == ["patch"]


def test_requests_recorded_by_the_embedded_server_are_counted() -> None:
    record = [{"agent": "x", "verb": "get", "resource": "pods", "subresource": "log", "code": 200}]
    assert list(parse_record(record)) == [CountedRequest("x", "get", "pods/log", 200)]


OTHERS = {
    "another program": asked(agent="kubectl/v1"),
    "the opening of a watch": asked("watch"),
    "a lease": asked("update", "leases"),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_requests_that_are_not_counted(other: CountedRequest) -> None:
    mine = asked("list")
    assert of_agent([other, mine], "jobflow-controller") == [mine]


def test_refused_writes_are_counted_separately_and_as_work() -> None:
    requests = [asked(), asked(), asked("update", "jobflows/status"), asked("update", "jobflows/status", 409)]
    assert tally(requests) == {"create jobs": 2, "update jobflows/status": 1, "update jobflows/status 409": 1}
    found = costs([*requests, asked("get")], 2)
    assert (found["writes_per_step"], found["reads_per_step"]) == (2, 0.5)
    assert found["flow_status_writes_per_step"] == 1
    assert found["by_verb"]["create jobs"] == 1
