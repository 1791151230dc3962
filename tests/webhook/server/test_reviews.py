"""Reviews and bad requests over real TLS."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.webhook.make import envelope, flow, job, known, review, step
from tests.webhook.server.serving import running
from webhook.server import handler
from webhook.server.handler import AdmissionHandler


async def test_a_review_is_answered_over_tls() -> None:
    async with running() as client:
        assert await client.allowed(flow())
        assert not await client.allowed(flow(step("a", "a")))


async def test_only_mutate_returns_a_patch() -> None:
    async with running() as client:
        _, mutated = await client.post("/jobflows/mutate", envelope(review(flow())))
        _, validated = await client.post("/jobflows/validate", envelope(review(flow())))
    assert "patch" in mutated["response"]
    assert "patch" not in validated["response"]


async def test_a_review_of_another_kind_on_a_path_is_allowed() -> None:
    async with running() as client:
        assert await client.allowed(flow(step("a", "a")), "/jobs/validate")


BAD: dict[str, tuple[str, bytes, int, str]] = {
    "garbage": ("/jobflows/validate", b"\x00\xff{", 400, "BadRequest"),
    "nothing": ("/jobflows/mutate", b"", 400, "BadRequest"),
    "an unknown path": ("/nowhere", b"{}", 404, "NotFound"),
    "more than 3 MiB": ("/jobflows/validate", b" " * (3 * 1024 * 1024 + 1), 413, "RequestEntityTooLarge"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_request_gets_a_status_and_the_server_continues(case: str) -> None:
    path, data, code, reason = BAD[case]
    async with running() as client:
        status, body = await client.post(path, data)
        assert (status, body["kind"], body["reason"], body["code"]) == (code, "Status", reason, code)
        assert await client.allowed(flow())


async def test_only_post_is_accepted() -> None:
    async with running() as client, client.session.get(f"https://localhost:{client.port}/jobflows/validate") as answer:
        assert answer.status == 405


async def test_a_body_of_nearly_3_mib_is_validated() -> None:
    large = flow(step("a"), step("b", "a"), params=[{"name": f"p{n}", "value": "x" * 4000} for n in range(700)])
    assert 2_800_000 < len(envelope(review(large))) < handler.BODY_LIMIT
    async with running() as client:
        assert await client.allowed(large)


async def test_a_body_without_length_is_cut_off_at_the_limit() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * 65_536

    async with running() as client:
        async with client.session.post(f"https://localhost:{client.port}/jobs/validate", data=endless()) as answer:
            assert answer.status == 413
        assert await client.allowed(flow())


class FailingHandler(AdmissionHandler):
    async def _decide(self, route: Any, review: Any, reads: Any) -> Any:
        raise RuntimeError("a fault of our own")


async def test_an_internal_error_gives_500_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with running(FailingHandler(known())) as client:
        for _ in range(2):
            status, body = await client.post("/jobs/validate", envelope(review(job())))
            assert (status, body["reason"]) == (500, "InternalError")
    assert "a fault of our own" in caplog.text


async def test_an_object_that_takes_too_long_is_refused() -> None:
    ticks = iter(range(0, 10_000, 10))
    async with running(AdmissionHandler(known(), clock=lambda: next(ticks))) as client:
        status, body = await client.post("/jobflows/validate", envelope(review(flow())))
    assert status == 200
    assert "validation took longer than 2 s" in body["response"]["status"]["message"]
    assert body["response"]["status"]["code"] == 403, "else the flow controller takes the Job of a step for invalid"
