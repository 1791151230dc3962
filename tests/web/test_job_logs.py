"""The stream of the logs of a Job ends with its reader, however much is left to read."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from shared.kinds import JOB, Kind
from shared.kube.client.errors import Forbidden
from shared.kube.client.requests import Request
from shared.model.types import Body
from web.cluster import job_logs
from web.cluster.job_logs import JobLogs


class WritingPods:
    """An API server with a Job whose pods write without end, until `ended`."""

    def __init__(self, names: Sequence[str] = ("a", "b"), *, ended: bool = False, forbidden: bool = False) -> None:
        self._names = names
        self._ended = ended
        self._forbidden = forbidden
        self.open = 0  # streams
        self.caller: Any = SimpleNamespace(api=self, transport=self)

    async def get(self, kind: Kind, namespace: str, name: str) -> Body:
        assert kind is JOB
        return {"status": {"state": {"phase": "Completed" if self._ended else "Running"}}}

    async def list(self, kind: Kind, namespace: str, *, label_selector: str) -> AsyncIterator[Body]:
        if self._forbidden:
            raise Forbidden("pods is forbidden")
        for name in self._names:
            metadata = {"name": name, "uid": name, "namespace": namespace, "labels": {}}
            yield {
                "metadata": metadata,
                "spec": {"containers": [{"name": "main"}]},
                "status": {"phase": "Running"},
            }

    @asynccontextmanager
    async def stream(self, request: Request, idle: float) -> AsyncIterator[tuple[int, Any, str]]:
        self.open += 1
        try:
            yield 200, self, ""
        finally:
            self.open -= 1

    async def iter_any(self) -> AsyncIterator[bytes]:
        for at in range(3 if self._ended else 10**9):
            yield f"line {at}\n".encode()
            await asyncio.sleep(0)


async def test_all_lines_of_a_job_that_has_ended_are_read() -> None:
    pods = WritingPods(ended=True)
    found = [(line.pod, line.text) async for line in JobLogs(pods.caller, "n", "j").follow()]
    assert sorted(found) == [(pod, f"line {at}") for pod in "ab" for at in range(3)]


@pytest.mark.parametrize("taken", [1, 2000])
async def test_a_reader_that_leaves_ends_what_reads_ahead_for_it(taken: int) -> None:
    pods = WritingPods()
    async with asyncio.timeout(20):
        async with aclosing(JobLogs(pods.caller, "n", "j").follow()) as lines:
            for _ in range(taken):
                await anext(lines)
            for _ in range(2 * job_logs._AHEAD):  # what is read ahead fills up
                await asyncio.sleep(0)
    assert pods.open == 0


async def test_the_limit_of_lines_ends_the_stream() -> None:
    pods = WritingPods()
    async with asyncio.timeout(60):
        found = [line async for line in JobLogs(pods.caller, "n", "j").follow()]
    assert (len(found), found[-1].note, pods.open) == (job_logs.MOST_LINES + 1, True, 0)


async def test_what_cannot_be_listed_is_an_error() -> None:
    with pytest.raises(Forbidden):
        [line async for line in JobLogs(WritingPods(forbidden=True).caller, "n", "j").follow()]
