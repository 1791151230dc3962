"""Commands on objects that do not exist: they are deleted, and an event says why they had no effect."""

import asyncio
import time

import pytest

from controller.runtime.command_targets import TargetedCommands
from shared.key import Key
from shared.kinds import COMMAND, JOB, JOBFLOW, QUEUE, Kind
from shared.kube.cache.cache import stopped
from tests.controller.support import context_on
from tests.shared.kube.fake import FakeServer, serving, until

COMMANDS = "/apis/bus.volcano.sh/v1alpha1/commands"
EVENTS = "/api/v1/events"


@pytest.mark.parametrize("kind", [JOB, JOBFLOW, QUEUE], ids=lambda kind: kind.kind)
@pytest.mark.parametrize("uid", ["of-a-deleted-one", None])
async def test_a_command_on_an_object_that_does_not_exist_is_deleted_with_an_event(kind: Kind, uid: str | None) -> None:
    fake = FakeServer()
    target = {"apiVersion": kind.api_version, "kind": kind.kind, "name": "gone", **({"uid": uid} if uid else {})}
    metadata = {"name": "c", "namespace": "ns1"}
    stored = fake.put(COMMANDS, {"metadata": metadata, "action": "Act", "target": target})
    async with serving(fake) as (_, api):
        context = context_on(api, time.time)
        commands = TargetedCommands(kind, context.caches, api, context.applier)
        objects = context.caches.want(kind)
        context.caches.assume(COMMAND, {**stored, "metadata": {**stored["metadata"]}})
        events = asyncio.create_task(context.recorder.run())
        try:
            await commands.catch_up(objects, Key("ns1" if kind.namespaced else "", "gone"))
            await until(lambda: len(fake.objects.get(EVENTS, {})) == 1)
        finally:
            await stopped(events)
    assert not fake.objects[COMMANDS]
    [event] = fake.objects[EVENTS].values()
    assert (event["reason"], event["type"], event["involvedObject"]["kind"]) == ("TargetNotFound", "Warning", "Command")
    assert event["message"] == f"Act has no effect: {kind.kind} gone does not exist"


async def test_an_object_that_the_cache_has_not_seen_yet_keeps_its_commands() -> None:
    fake = FakeServer()
    flow = fake.put("/apis/flow.volcano.sh/v1alpha1/jobflows", {"metadata": {"name": "new", "namespace": "ns1"}})
    uid = flow["metadata"]["uid"]
    target = {"apiVersion": JOBFLOW.api_version, "kind": "JobFlow", "name": "new", "uid": uid}
    stored = fake.put(COMMANDS, {"metadata": {"name": "c", "namespace": "ns1"}, "action": "Act", "target": target})
    async with serving(fake) as (_, api):
        context = context_on(api, time.time)
        commands = TargetedCommands(JOBFLOW, context.caches, api, context.applier)
        flows = context.caches.want(JOBFLOW)
        context.caches.assume(COMMAND, {**stored, "metadata": {**stored["metadata"]}})
        await commands.catch_up(flows, Key("ns1", "new"))
    assert (flows.get("ns1", "new") or {})["metadata"]["uid"] == uid
    assert len(fake.objects[COMMANDS]) == 1
