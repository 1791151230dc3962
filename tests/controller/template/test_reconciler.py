"""The JobTemplate controller on a fake API server."""

import math

import pytest

from controller.cluster.apply import Outcome
from controller.context import ControllerContext
from controller.decision import Decision
from controller.runtime.rate_limit import TEMPLATE_BURST
from controller.template import reconciler as templates
from shared.key import Key
from shared.kinds import Kind
from shared.model.types import Body
from tests.controller.support import JOBS, SetClock, job, running
from tests.shared.kube.fake import FakeServer, until

TEMPLATES = "/apis/flow.volcano.sh/v1alpha1/jobtemplates"


def listed(fake: FakeServer, template: str = "a") -> list[str]:
    return list((fake.objects[TEMPLATES]["ns", template].get("status") or {}).get("jobDependsOnList", ()))


async def test_a_template_lists_its_jobs_and_drops_deleted_ones(
    fake: FakeServer, context: ControllerContext, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.template.decide.INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr("controller.template.decide.NAMES_PER_SECOND", math.inf)
    monkeypatch.setattr(templates, "LIST_DELAY", 0.01)
    fake.put(TEMPLATES, {"metadata": {"name": "a", "namespace": "ns"}})
    fake.put(JOBS, job("f-a"))
    fake.put(JOBS, job("g-a"))
    fake.put(JOBS, job("other", template="elsewhere.a"))
    async with running(context, templates.build(context)):
        await until(lambda: listed(fake) == ["f-a", "g-a"])
        fake.remove(JOBS, "ns", "f-a")
        await until(lambda: listed(fake) == ["g-a"])
        fake.put(JOBS, {**job("g-a"), "status": {"state": {"phase": "Running"}}})
        fake.put(TEMPLATES, {**fake.objects[TEMPLATES]["ns", "a"], "status": {"jobDependsOnList": ["nonsense"]}})
        await until(lambda: listed(fake) == ["g-a"])
        fake.put(JOBS, job("later", template="ns.b"))
        fake.put(TEMPLATES, {"metadata": {"name": "b", "namespace": "ns"}})
        await until(lambda: listed(fake, "b") == ["later"])


async def test_many_templates_that_change_at_once_are_written_at_a_limited_rate(
    fake: FakeServer, context: ControllerContext, clock: SetClock
) -> None:
    names = [f"t{at}" for at in range(TEMPLATE_BURST + 10)]
    for name in names:
        fake.put(TEMPLATES, {"metadata": {"name": name, "namespace": "ns"}})
        fake.put(JOBS, job(f"f-{name}", template=f"ns.{name}"))
    reconciler = templates.build(context).reconciler
    async with running(context):
        await until(lambda: context.caches.unsynced() == [])
        pauses = [await reconciler.reconcile(Key("ns", name)) for name in names]
        assert sum(bool(listed(fake, name)) for name in names) == TEMPLATE_BURST
        later = [pause for pause in pauses if pause is not None]
        assert later == sorted(later)
        assert len(later) == 10
        clock.now += max(later)
        assert [await reconciler.reconcile(Key("ns", name)) for name in names] == [None] * len(names)
        assert all(listed(fake, name) == [f"f-{name}"] for name in names)


async def test_lists_are_written_less_often_while_the_api_server_is_slow(
    fake: FakeServer, context: ControllerContext, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"t{at}" for at in range(60)]
    for name in names:
        fake.put(TEMPLATES, {"metadata": {"name": name, "namespace": "ns"}})
        fake.put(JOBS, job(f"f-{name}", template=f"ns.{name}"))
    reconciler = templates.build(context).reconciler
    apply = context.applier.apply

    async def slowly(kind: Kind, body: Body, decision: Decision) -> Outcome:
        clock.now += 4.0
        return await apply(kind, body, decision)

    monkeypatch.setattr(context.applier, "apply", slowly)
    async with running(context):
        await until(lambda: context.caches.unsynced() == [])
        for name in names[:-2]:
            while pause := await reconciler.reconcile(Key("ns", name)):
                clock.now += pause
        pauses = [await reconciler.reconcile(Key("ns", name)) for name in names[-2:]]
    first, second = (pause or 0.0 for pause in pauses)
    assert second - first > 1.0
