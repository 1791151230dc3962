"""Following the logs of pods: each is read once, and nothing is read after the end, whatever the end is."""

import asyncio

import pytest

from shared.kube.pod_follower import PodFollower
from shared.model.types import Body


def pod(name: str, phase: str = "Running") -> Body:
    return {"metadata": {"name": name, "uid": name}, "status": {"phase": phase}}


class PodLooks:
    """Pods as they are found at each look; `faults`: pods whose log cannot be written."""

    def __init__(self, *looks: list[Body], faults: tuple[str, ...] = (), endless: tuple[str, ...] = ()) -> None:
        self._looks = list(looks)
        self._faults = faults
        self._endless = endless
        self.read: list[tuple[str, bool]] = []
        self.open = 0
        self.all_open = asyncio.Event()
        self.said: list[tuple[str, str]] = []
        self.follower = PodFollower(self._look, self._read, self._why, self._say)

    async def _look(self) -> tuple[bool, list[Body]]:
        if len(self._looks) > 1:
            return False, self._looks.pop(0)
        return not self._endless, self._looks[0]

    async def _read(self, body: Body, several: bool) -> None:
        name = body["metadata"]["name"]
        self.read.append((name, several))
        self.open += 1
        try:
            if name in self._faults:
                raise BrokenPipeError
            if name in self._endless:
                if self.open == len(self._endless):
                    self.all_open.set()
                await asyncio.Event().wait()
        finally:
            self.open -= 1

    def _why(self, body: Body) -> tuple[str, str] | None:
        return ("pending", f"{body['metadata']['name']} waits") if body["status"]["phase"] == "Pending" else None

    async def _say(self, body: Body, text: str) -> None:
        self.said.append((body["metadata"]["name"], text))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.kube.pod_follower._POLL_SECONDS", 0.0)


async def test_a_pod_is_read_once_from_its_start_and_its_cause_is_said_once() -> None:
    waits = pod("b", "Pending")
    cluster = PodLooks([pod("a"), waits], [pod("a"), waits], [pod("a"), pod("b")])
    await cluster.follower.run()
    assert cluster.read == [("a", True), ("b", True)]
    assert cluster.said == [("b", "b waits")]


async def test_a_reader_that_cannot_write_ends_the_others() -> None:
    cluster = PodLooks([pod("a"), pod("b")], faults=("b",), endless=("a",))
    async with asyncio.timeout(20):
        with pytest.raises(BrokenPipeError):
            await cluster.follower.run()
    assert cluster.open == 0


async def test_a_cancellation_ends_all_readers() -> None:
    cluster = PodLooks([pod("a"), pod("b")], endless=("a", "b"))
    running = asyncio.create_task(cluster.follower.run())
    await cluster.all_open.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert cluster.open == 0
