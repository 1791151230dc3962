"""Jobs that are created while the status of a long flow is being written."""

import asyncio
import random
from collections.abc import Callable

import orjson
import pytest
from aiohttp import web

from controller.jobflow.decision_writer import LONG
from shared.kube.client.api import Api
from shared.model.types import Body
from tests.controller.jobflow.reconciler.make import (
    FLOWS,
    JOBS,
    TEMPLATES,
    Clock,
    controlling,
    end,
    flow,
    jobs,
    state,
    step,
    template,
)
from tests.shared.kube.fake import FakeServer, status, until

STEPS = LONG + 10


class SlowStatus:
    """A hook that holds every status write of a flow that lists steps until `release`, and answers `refusal` then."""

    def __init__(self, fake: FakeServer) -> None:
        self.waiting = 0
        self.refusal: web.StreamResponse | None = None
        self._released = asyncio.Event()
        fake.before = self

    async def __call__(self, request: web.Request) -> web.StreamResponse | None:
        if request.method != "PUT" or not request.path.endswith("/status") or "jobflows" not in request.path:
            return None
        if not orjson.loads(await request.read())["status"].get("steps"):
            return None
        self.waiting += 1
        await self._released.wait()
        refusal, self.refusal = self.refusal, None
        return refusal

    def release(self) -> None:
        self._released.set()


def chain(fake: FakeServer, length: int = STEPS) -> Body:
    for at in range(length):
        fake.put(TEMPLATES, template(f"s{at}"))
    return fake.put(FLOWS, flow(*(step(f"s{at}", *([f"s{at - 1}"] if at else [])) for at in range(length))))


def made(fake: FakeServer, count: int) -> Callable[[], bool]:
    return lambda: jobs(fake) == [f"f-s{at}" for at in range(count)]


async def in_a_write(fake: FakeServer, clock: Clock, slow: SlowStatus) -> None:
    """Let the flow come to a status write that is held: that of the second step's start."""
    await until(made(fake, 1))
    clock.now += 10
    end(fake, "f-s0")
    await until(lambda: slow.waiting == 1 and made(fake, 2)())


async def test_the_next_jobs_are_created_while_a_status_is_written(fake: FakeServer, api: Api, clock: Clock) -> None:
    slow = SlowStatus(fake)
    chain(fake)
    async with controlling(api, clock):
        await in_a_write(fake, clock, slow)
        for at in range(1, 5):
            end(fake, f"f-s{at}")
            await until(made(fake, at + 2))
        assert slow.waiting == 1
        slow.release()
        for at in range(5, STEPS):
            await until(made(fake, at + 1))
            end(fake, f"f-s{at}")
        await until(lambda: state(fake) == "Succeed")
    assert fake.calls["POST jobs"] == STEPS
    assert fake.objects[FLOWS]["ns", "f"]["status"]["counts"]["completed"] == STEPS


@pytest.mark.parametrize("code", [409, 500])
async def test_a_status_that_is_not_stored_is_told_again(fake: FakeServer, api: Api, clock: Clock, code: int) -> None:
    slow = SlowStatus(fake)
    slow.refusal = status(code, "Conflict" if code == 409 else "InternalError", "not now")
    chain(fake)
    async with controlling(api, clock):
        await in_a_write(fake, clock, slow)
        end(fake, "f-s1")
        await until(made(fake, 3))
        slow.release()
        await until(lambda: slow.waiting > 1)
        for at in range(2, STEPS):
            await until(made(fake, at + 1))
            end(fake, f"f-s{at}")
        await until(lambda: state(fake) == "Succeed")
    assert fake.calls["POST jobs"] == STEPS
    steps = fake.objects[FLOWS]["ns", "f"]["status"]["steps"]
    assert {(one["phase"], one["attempts"]) for one in steps} == {("Completed", 1)}


async def test_nothing_is_created_for_a_spec_that_has_changed_meanwhile(
    fake: FakeServer, api: Api, clock: Clock
) -> None:
    slow = SlowStatus(fake)
    chain(fake)
    async with controlling(api, clock):
        await in_a_write(fake, clock, slow)
        stored = orjson.loads(orjson.dumps(fake.objects[FLOWS]["ns", "f"]))
        stored["metadata"]["generation"] += 1
        stored["spec"]["suspend"] = True
        fake.put(FLOWS, stored)
        end(fake, "f-s1")
        slow.release()
        await until(lambda: state(fake) == "Suspended")
    assert made(fake, 2)()


async def test_the_end_of_a_flow_waits_for_the_write_under_way(fake: FakeServer, api: Api, clock: Clock) -> None:
    slow = SlowStatus(fake)
    for name in ("first", *(f"p{at}" for at in range(STEPS))):
        fake.put(TEMPLATES, template(name))
    fake.put(FLOWS, flow(step("first"), *(step(f"p{at}", "first") for at in range(STEPS))))
    async with controlling(api, clock):
        await until(lambda: jobs(fake) == ["f-first"])
        clock.now += 10
        end(fake, "f-first")
        await until(lambda: slow.waiting == 1 and len(jobs(fake)) == STEPS + 1)
        for at in range(STEPS):
            end(fake, f"f-p{at}")
        slow.release()
        await until(lambda: state(fake) == "Succeed")
    assert fake.calls["POST jobs"] == STEPS + 1


@pytest.mark.parametrize("seed", range(6))
async def test_no_step_runs_twice_or_is_lost_with_slow_and_refused_writes(
    fake: FakeServer, api: Api, clock: Clock, seed: int
) -> None:
    chance = random.Random(seed)
    names = [f"s{at}" for at in range(STEPS)]
    for name in names:
        fake.put(TEMPLATES, template(name))
    targets = {name: chance.sample(names[:at], min(at, chance.randint(0, 2))) for at, name in enumerate(names)}

    async def hinder(request: web.Request) -> web.StreamResponse | None:
        if request.method == "PUT" and "jobflows" in request.path:
            await asyncio.sleep(chance.choice([0.0, 0.01, 0.05]))
            if chance.random() < 0.2:
                return status(409, "Conflict", "changed")
        if request.method == "POST" and request.path.endswith("/jobs"):
            await asyncio.sleep(chance.choice([0.0, 0.0, 0.02]))
        return None

    fake.before = hinder
    fake.put(FLOWS, flow(*(step(name, *targets[name]) for name in names)))

    def early() -> list[str]:
        """Jobs that exist although a target of their step has not ended."""
        ended = {name for (_, name), body in fake.objects.get(JOBS, {}).items() if body.get("status")}
        return [name for name in jobs(fake) if not {f"f-{one}" for one in targets[name[2:]]} <= ended]

    async with controlling(api, clock):
        ended: set[str] = set()
        while len(ended) < STEPS:
            await until(lambda: bool(set(jobs(fake)) - ended))
            clock.now += chance.choice([0.0, 0.5, 3.0])
            for name in sorted(set(jobs(fake)) - ended)[: chance.randint(1, 4)]:
                end(fake, name)
                ended.add(name)
            assert early() == []
        await until(lambda: state(fake) == "Succeed")
    assert sorted(jobs(fake)) == sorted(f"f-{name}" for name in names)
    steps = fake.objects[FLOWS]["ns", "f"]["status"]["steps"]
    assert {(one["phase"], one["attempts"]) for one in steps} == {("Completed", 1)}
