"""The TTL controller on a fake API server."""

from controller.context import ControllerContext
from controller.ttl import reconciler as ttl
from shared.key import Key
from shared.kinds import JOB
from tests.controller.support import JOBS, SetClock, job, running
from tests.shared.kube.fake import FakeServer, until


async def test_a_finished_job_is_deleted_when_it_expires(
    fake: FakeServer, context: ControllerContext, clock: SetClock
) -> None:
    state = {"state": {"phase": "Completed", "lastTransitionTime": "2026-01-02T03:04:05Z"}}
    fake.put(JOBS, job("due", spec={"ttlSecondsAfterFinished": 0}, status=state))
    fake.put(JOBS, job("kept", status=state))
    fake.put(JOBS, job("later", spec={"ttlSecondsAfterFinished": 3600}, status=state))
    async with running(context, ttl.build(context)):
        await until(lambda: sorted(name for _, name in fake.objects[JOBS]) == ["kept", "later"])


async def test_a_job_whose_ttl_was_just_raised_is_not_deleted(
    fake: FakeServer, context: ControllerContext, clock: SetClock
) -> None:
    state = {"state": {"phase": "Completed", "lastTransitionTime": "2026-01-02T03:04:05Z"}}
    controller = ttl.build(context)
    stale = job("j", spec={"ttlSecondsAfterFinished": 0}, status=state)
    stale["metadata"].update(uid="uid-1", resourceVersion="1")
    jobs = context.caches.of(JOB)
    assert jobs is not None
    jobs.assume(stale)
    fake.put(JOBS, job("j", spec={"ttlSecondsAfterFinished": 600}, status=state))
    assert await controller.reconciler.reconcile(Key("ns", "j")) == 600
    assert fake.calls["DELETE jobs"] == 0
