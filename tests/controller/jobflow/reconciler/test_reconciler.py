"""The JobFlow controller on a fake API server: caches in, Jobs, status and events out."""

import asyncio
import time

from aiohttp import web

from controller.cluster.apply import Applier
from controller.cluster.events import Recorder
from controller.context import ControllerContext
from controller.jobflow import wiring as flows
from controller.jobflow.reconciler import FlowReconciler
from controller.runtime.command_targets import TargetedCommands
from controller.settings import Settings
from shared.key import Key
from shared.kinds import COMMAND, JOBFLOW
from shared.kube.cache.cache import Caches, stopped
from shared.kube.client.api import Api
from tests.controller.jobflow.reconciler.make import (
    COMMANDS,
    FLOWS,
    JOBS,
    PODS,
    TEMPLATES,
    Clock,
    controlling,
    end,
    flow,
    jobs,
    pod,
    reason,
    state,
    step,
    template,
)
from tests.controller.support import context_on, running
from tests.shared.kube.fake import FakeServer, status, until


async def test_a_flow_runs_from_its_first_job_to_its_end(fake: FakeServer, api: Api, clock: Clock) -> None:
    async with controlling(api, clock):
        fake.put(FLOWS, flow(step("a"), step("b", "a")))
        await until(lambda: jobs(fake) == ["f-a"])
        end(fake, "f-a")
        await until(lambda: jobs(fake) == ["f-a", "f-b"])
        end(fake, "f-b")
        await until(lambda: state(fake) == "Succeed")
    assert fake.calls["POST jobs"] == 2
    assert fake.calls["PUT jobflows/status"] <= 3


async def test_another_controller_continues_the_flow(fake: FakeServer, api: Api, clock: Clock) -> None:
    fake.put(FLOWS, flow(step("a"), step("b", "a"), step("c", "b")))
    async with controlling(api, clock):
        await until(lambda: jobs(fake) == ["f-a"])
    end(fake, "f-a")
    async with controlling(api, clock):
        await until(lambda: jobs(fake) == ["f-a", "f-b"])
    end(fake, "f-b")
    async with controlling(api, clock):
        await until(lambda: "f-c" in jobs(fake))
        end(fake, "f-c")
        await until(lambda: state(fake) == "Succeed")
    assert fake.calls["POST jobs"] == 3


async def test_a_step_starts_when_its_template_appears(fake: FakeServer, api: Api, clock: Clock) -> None:
    fake.remove(TEMPLATES, "ns", "a")
    async with controlling(api, clock):
        fake.put(FLOWS, flow(step("a")))
        await until(lambda: reason(fake) == "TemplateNotFound")
        fake.put(TEMPLATES, template("a"))
        await until(lambda: jobs(fake) == ["f-a"])


async def test_a_job_of_another_owner_is_reported_and_not_changed(fake: FakeServer, api: Api, clock: Clock) -> None:
    fake.put(JOBS, {"metadata": {"name": "f-a", "namespace": "ns"}})
    async with controlling(api, clock):
        fake.put(FLOWS, flow(step("a")))
        await until(lambda: state(fake) == "Failed")
    assert reason(fake) == "NameConflict"
    assert fake.calls["POST jobs"] == 0


async def test_a_recreated_flow_of_the_same_name_is_another_flow(fake: FakeServer, api: Api, clock: Clock) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse | None:
        if request.method == "POST" and request.path.endswith("/jobs"):
            return status(422, "Invalid", "no such image")
        return None

    async with controlling(api, clock):
        fake.before = refuse
        fake.put(FLOWS, flow(step("a")))
        await until(lambda: reason(fake) == "InvalidJob")
        fake.remove(FLOWS, "ns", "f")
        fake.before = None
        fake.put(FLOWS, flow(step("a")))
        await until(lambda: jobs(fake) == ["f-a"])


async def test_outputs_are_read_from_the_pods(fake: FakeServer, api: Api, clock: Clock) -> None:
    async with controlling(api, clock):
        fake.put(FLOWS, flow(step("a", outputs=[{"name": "n"}]), step("b", "a", **{"if": "steps.a.outputs.n == '7'"})))
        await until(lambda: jobs(fake) == ["f-a"])
        fake.put(PODS, pod(fake.objects[JOBS]["ns", "f-a"]["metadata"]["uid"], "7\n"))
        end(fake, "f-a")
        await until(lambda: jobs(fake) == ["f-a", "f-b"])
    assert fake.calls["LIST pods"] == 1


async def test_a_command_is_carried_out_recorded_and_deleted(fake: FakeServer, api: Api, clock: Clock) -> None:
    async with controlling(api, clock):
        body = fake.put(FLOWS, flow(step("a"), step("b", "a")))
        await until(lambda: jobs(fake) == ["f-a"])
        target = {"apiVersion": "flow.volcano.sh/v1alpha1", "kind": "JobFlow", "name": "f"}
        command = {
            "metadata": {"name": "stop", "namespace": "ns"},
            "action": "TerminateJobFlow",
            "target": {**target, "uid": body["metadata"]["uid"]},
        }
        stale = {**command, "metadata": {"name": "stale", "namespace": "ns"}, "target": {**target, "uid": "old"}}
        fake.put(COMMANDS, stale)
        uid = fake.put(COMMANDS, command)["metadata"]["uid"]
        await until(lambda: [name for _, name in fake.objects[COMMANDS]] == ["f-a-terminate"])
        end(fake, "f-a", "Terminated")
        await until(lambda: state(fake) == "Failed")
    assert fake.objects[FLOWS]["ns", "f"]["status"]["handledCommands"] == [uid]


async def test_a_command_for_a_recreated_flow_is_not_judged_by_the_old_flow(api: Api, fake: FakeServer) -> None:
    """The cache still shows the flow that is gone when the Command for its successor comes."""
    caches = Caches(api)
    flows_seen = caches.want(JOBFLOW)
    first = fake.put(FLOWS, flow(step("a")))
    caches.assume(JOBFLOW, {**first, "metadata": {**first["metadata"]}})
    fake.remove(FLOWS, "ns", "f")
    second = fake.put(FLOWS, flow(step("a")))
    target = {
        "apiVersion": "flow.volcano.sh/v1alpha1",
        "kind": "JobFlow",
        "name": "f",
        "uid": second["metadata"]["uid"],
    }
    commands = TargetedCommands(JOBFLOW, caches, api, context_on(api, time.time).applier)
    caches.assume(COMMAND, {"metadata": {"name": "stop", "namespace": "ns", "uid": "1"}, "target": target})
    await commands.catch_up(flows_seen, Key("ns", "f"))
    assert (flows_seen.get("ns", "f") or {})["metadata"]["uid"] == second["metadata"]["uid"]
    await commands.catch_up(flows_seen, Key("ns", "f"))
    assert fake.calls["GET jobflows"] == 1


async def test_a_job_deleted_before_its_end_was_stored_counts_with_its_end(
    fake: FakeServer, api: Api, clock: Clock
) -> None:
    async with controlling(api, clock):
        fake.put(FLOWS, flow(step("a"), step("b", "a")))
        await until(lambda: jobs(fake) == ["f-a"])
        end(fake, "f-a")
        fake.remove(JOBS, "ns", "f-a")
        await until(lambda: jobs(fake) == ["f-b"])


async def test_a_conflict_on_the_status_loses_nothing(fake: FakeServer, api: Api, clock: Clock) -> None:
    conflicts = [True]

    async def conflict(request: web.Request) -> web.StreamResponse | None:
        if request.method == "PUT" and request.path.endswith("/status") and conflicts:
            conflicts.pop()
            return status(409, "Conflict", "changed")
        return None

    fake.before = conflict
    async with controlling(api, clock):
        fake.put(FLOWS, flow(step("a")))
        await until(lambda: state(fake) == "Pending")
        end(fake, "f-a")
        await until(lambda: state(fake) == "Succeed")
    assert fake.calls["POST jobs"] == 1


async def test_a_flow_that_cannot_be_parsed_is_left_alone(fake: FakeServer, api: Api, clock: Clock) -> None:
    async with controlling(api, clock):
        fake.put(FLOWS, flow({"name": 7}, name="broken"))
        fake.put(FLOWS, flow(step("a")))
        await until(lambda: jobs(fake) == ["f-a"])
    assert state(fake, "broken") == ""


async def test_a_flow_that_volcano_finished_is_never_changed(fake: FakeServer, api: Api, clock: Clock) -> None:
    async with controlling(api, clock):
        body = flow(step("a"), name="old")
        body["status"] = {"state": {"phase": "Succeed"}, "completedJobs": ["old-a"]}
        stored = fake.put(FLOWS, body)
        for number in range(5):
            stored = fake.put(FLOWS, {**stored, "metadata": {**stored["metadata"], "labels": {"n": str(number)}}})
            await asyncio.sleep(0.01)
        fake.put(FLOWS, flow(step("a")))
        await until(lambda: jobs(fake) == ["f-a"])
    assert fake.objects[FLOWS]["ns", "old"]["status"] == body["status"]


async def test_flows_dropped_from_the_cache_lose_nothing(fake: FakeServer, api: Api, clock: Clock) -> None:
    from controller.jobflow.observe.flow_cache import FlowCache

    memory = FlowCache(most=1)
    bodies = [fake.put(FLOWS, flow(step("a"), name=name)) for name in ("x", "y")]
    for body in bodies:
        assert memory.recall(Key("ns", body["metadata"]["name"]), body) is not None
    assert memory.surplus() == [Key("ns", "x")]
    assert memory.forget(Key("ns", "x")) == bodies[0]["metadata"]["uid"]
    assert memory.surplus() == []


async def test_the_children_of_an_ended_flow_are_not_kept(fake: FakeServer, api: Api, clock: Clock) -> None:
    context = context_on(api, clock, steady=time.monotonic, settings=Settings(job_controller=False))
    controller = flows.build(context)
    reconciler = controller.reconciler
    assert isinstance(reconciler, FlowReconciler)
    async with running(context, controller):
        uid = fake.put(FLOWS, flow(step("a")))["metadata"]["uid"]
        await until(lambda: jobs(fake) == ["f-a"])
        assert uid in reconciler.observer.jobs
        end(fake, "f-a")
        await until(lambda: state(fake) == "Succeed")
    assert uid not in reconciler.observer.jobs


async def test_an_ended_flow_with_a_deferred_status_is_deleted_after_its_ttl(
    fake: FakeServer, api: Api, clock: Clock
) -> None:
    """With many active flows a status write waits for its reserved time; a pass over an ended flow must not reserve
    another one."""
    ended = {"state": {"phase": "Succeed"}, "observedGeneration": 1, "completionTime": "2027-01-15T07:00:00Z"}
    names = [f"f{number}" for number in range(40)]
    for name in names:
        fake.put(FLOWS, flow(step("a"), name=name, ttlSecondsAfterFinished=1) | {"status": ended})
    caches = Caches(api)
    applier = Applier(api, caches, Recorder(api, "test", "here", now=clock), now=clock)
    settings = Settings(job_controller=False)
    context = ControllerContext(api, caches, applier, Recorder(api, "test", "here", now=clock), settings, clock)
    reconciler = flows.build(context).reconciler
    caching = asyncio.create_task(caches.run())
    try:
        await caches.synced()
        pauses = [await reconciler.reconcile(Key("ns", name)) or 0.0 for name in names]
        clock.now += pauses[-1]
        for name in names:
            await reconciler.reconcile(Key("ns", name))
    finally:
        await stopped(caching)
    assert max(pauses) > 0.0
    assert fake.objects[FLOWS] == {}


async def test_a_job_whose_owner_reference_was_removed_is_not_waited_for(
    fake: FakeServer, api: Api, clock: Clock
) -> None:
    async with controlling(api, clock):
        fake.put(FLOWS, flow(step("a"), step("b", "a")))
        await until(lambda: jobs(fake) == ["f-a"])
        stored = fake.objects[JOBS]["ns", "f-a"]
        fake.put(JOBS, {**stored, "metadata": {**stored["metadata"], "ownerReferences": []}})
        await until(lambda: state(fake) == "Failed")
        assert reason(fake) == "JobDeleted"
