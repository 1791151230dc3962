"""From a changed object to the keys that are reconciled."""

from typing import Any

import pytest

from controller.context import ControllerContext
from controller.owner_references import by_controller_uid
from controller.runtime import routes
from controller.runtime.controller import Controller, Route
from controller.runtime.worker import CURRENT_PASS
from controller.runtime.workqueue import WorkQueue
from controller.template import reconciler as templates
from shared.key import Key
from shared.kinds import JOBFLOW, POD
from shared.model.types import Body


def owned(kind: str, version: str, **metadata: Any) -> Body:
    reference = {"kind": kind, "apiVersion": version, "name": "o", "uid": "ou", "controller": True}
    return {"metadata": {"name": "x", "namespace": "ns", "ownerReferences": [reference], **metadata}}


OWNED = {
    "its controller": (owned("JobFlow", "flow.volcano.sh/v1alpha1"), {Key("ns", "o")}),
    "another version of it": (owned("JobFlow", "flow.volcano.sh/v2"), {Key("ns", "o")}),
    "a namesake of another group": (owned("JobFlow", "other.io/v1"), set()),
    "another kind": (owned("Job", "flow.volcano.sh/v1alpha1"), set()),
    "no owner": ({"metadata": {"name": "x", "namespace": "ns"}}, set()),
}


@pytest.mark.parametrize(("body", "want"), OWNED.values(), ids=OWNED.keys())
def test_a_change_wakes_the_controller_of_an_object(body: Body, want: set[Key]) -> None:
    wakes = routes.its_controller(JOBFLOW)
    assert set(wakes(None, body)) == set(wakes(body, None)) == want
    assert list(by_controller_uid(body)) == (["ou"] if "ownerReferences" in body["metadata"] else [])


@pytest.mark.parametrize(("own_writes", "want"), [(True, ["ns/x", "ns/y"]), (False, ["ns/y"])])
async def test_own_writes_of_a_route_may_not_wake_their_own_key(
    context: ControllerContext, own_writes: bool, want: list[str]
) -> None:
    cache = context.caches.want(POD)
    queue = WorkQueue(f"own-{own_writes}")
    controller = Controller("own", queue, templates.build(context).reconciler, (Route(cache, both, own_writes),), cache)
    controller.connect()
    token = CURRENT_PASS.set(("own", Key("ns", "x")))
    cache.assume({"metadata": {"name": "p", "namespace": "ns", "uid": "1", "resourceVersion": "1"}})
    CURRENT_PASS.reset(token)
    got = [str(await queue.get()) for _ in range(len(queue))]
    assert sorted(got) == want


def both(old: Body | None, new: Body | None) -> list[Key]:
    return [Key("ns", "x"), Key("ns", "y")]


async def test_changes_wake_a_key_of_a_delayed_route_once_and_later(context: ControllerContext) -> None:
    cache = context.caches.want(POD)
    cache.assume({"metadata": {"name": "p", "namespace": "ns", "uid": "1", "resourceVersion": "1"}})
    now = 100.0
    queue = WorkQueue("delayed", clock=lambda: now)
    route = Route(cache, lambda old, new: [Key("ns", "x")], delay=2.0)
    Controller("delayed", queue, templates.build(context).reconciler, (route,), cache).connect()
    assert await queue.get() == Key("ns", "x")  # for an object that was stored before
    queue.done(Key("ns", "x"))
    for version in ("2", "3"):
        cache.assume({"metadata": {"name": "p", "namespace": "ns", "uid": "1", "resourceVersion": version}})
        now += 1.0
    assert len(queue) == 0
    queue.add(Key("ns", "other"))
    assert {await queue.get(), await queue.get()} == {Key("ns", "x"), Key("ns", "other")}
    assert len(queue) == 0


async def test_a_scan_adds_every_object_after_the_urgent_keys(context: ControllerContext) -> None:
    cache = context.caches.want(POD)
    for index in range(3):
        cache.assume({"metadata": {"name": f"p{index}", "namespace": "ns", "uid": str(index), "resourceVersion": "1"}})
    controller = Controller("scan", WorkQueue("scan"), templates.build(context).reconciler, (), cache)
    controller.scan()
    controller.queue.add(Key("ns", "urgent"))
    got = [(await controller.queue.get() or Key("", "")).name for _ in range(4)]
    assert got == ["urgent", "p0", "p1", "p2"]
    assert controller.uid_of(Key("ns", "p2")) == "2"
    assert controller.uid_of(Key("ns", "gone")) == ""
