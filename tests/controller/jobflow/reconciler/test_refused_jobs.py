"""Jobs that the API server refuses: the reason is shown, and they are created once it accepts them."""

from aiohttp import web

from controller.settings import Settings
from shared.kube.client.api import Api
from tests.controller.jobflow.reconciler.make import (
    FLOWS,
    QUEUES,
    Clock,
    controlling,
    flow,
    jobs,
    quota,
    reason,
    state,
    step,
)
from tests.shared.kube.fake import FakeServer, status, until


async def test_a_refused_job_shows_the_reason(fake: FakeServer, api: Api, clock: Clock) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse | None:
        if request.method == "POST" and request.path.endswith("/jobs"):
            return status(403, "Forbidden", "exceeded quota")
        return None

    fake.before = refuse
    async with controlling(api, clock):
        fake.put(FLOWS, flow(step("a")))
        await until(lambda: reason(fake) == "JobRejected")
        assert fake.objects[FLOWS]["ns", "f"]["status"]["steps"][0]["message"] == "exceeded quota"
        fake.before = None
        clock.now += 2
        await until(lambda: jobs(fake) == ["f-a"])


async def test_a_step_waits_for_its_closed_queue_and_starts_when_it_opens(
    fake: FakeServer, api: Api, clock: Clock
) -> None:
    queue = {"metadata": {"name": "default"}, "status": {"state": "Closed"}}
    fake.put(QUEUES, queue)
    async with controlling(api, clock, Settings()):
        fake.put(FLOWS, flow(step("a")))
        await until(lambda: reason(fake) == "QueueClosed")
        reported = fake.objects[FLOWS]["ns", "f"]["status"]
        assert (reported["steps"][0]["phase"], reported["steps"][0]["message"]) == (
            "Waiting",
            "queue default is closed",
        )
        assert (reported["state"]["reason"], reported["nextSummary"]) == ("QueueClosed", "a: queue default is closed")
        fake.put(QUEUES, queue | {"status": {"state": "Open"}})
        await until(lambda: jobs(fake) == ["f-a"])
    assert fake.calls["POST jobs"] == 1


async def test_a_rejected_job_is_tried_again_at_once_when_a_queue_appears(
    fake: FakeServer, api: Api, clock: Clock
) -> None:
    fake.before = quota(fake, 0)
    async with controlling(api, clock, Settings()):
        fake.put(FLOWS, flow(step("a")))
        await until(lambda: reason(fake) == "JobRejected")
        fake.before = None
        fake.put(QUEUES, {"metadata": {"name": "q"}, "status": {"state": "Open"}})
        await until(lambda: jobs(fake) == ["f-a"])


async def test_hundreds_of_refused_jobs_are_reported_at_once_and_created_when_the_quota_allows(
    fake: FakeServer, api: Api, clock: Clock
) -> None:
    names = [f"s{number}" for number in range(300)]
    fake.before = quota(fake, 2)
    async with controlling(api, clock):
        fake.put(FLOWS, flow(*(step(name, template="a") for name in names)))
        await until(lambda: state(fake) == "Pending")
        clock.now += 3

        def reasons() -> list[str | None]:
            clock.now += 0.1
            status = fake.objects[FLOWS]["ns", "f"].get("status") or {}
            return [one.get("reason") for one in status.get("steps", ())]

        await until(lambda: reasons() == [None, None, *["JobRejected"] * 298])
        assert fake.calls["POST jobs"] <= 20
        fake.before = None
        clock.now += 2
        await until(lambda: len(jobs(fake)) == 300)


async def test_hundreds_of_invalid_jobs_fail_one_after_the_other_without_a_pause(
    fake: FakeServer, api: Api, clock: Clock
) -> None:
    async def invalid(request: web.Request) -> web.StreamResponse | None:
        if request.method == "POST" and request.path.endswith("/jobs"):
            return status(422, "Invalid", "no such image")
        return None

    fake.before = invalid
    async with controlling(api, clock):
        steps = [step(f"s{number}", template="a") for number in range(60)]
        fake.put(FLOWS, flow(*steps, failureStrategy="Continue"))
        await until(lambda: state(fake) == "Failed")
    assert fake.calls["POST jobs"] == 60
