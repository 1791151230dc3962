"""Deciding again after refusals, and the memory of refusals."""

from collections.abc import Mapping
from typing import Any

import pytest

from controller.cluster.errors import StaleError
from controller.context import ControllerContext
from controller.decision import Child, Create, Decision, Refusal
from controller.runtime.reconcile_rounds import decide_and_apply
from controller.runtime.refusals import Refusals
from shared.key import Key
from shared.kinds import JOBFLOW, POD
from shared.model.types import Body
from tests.controller.support import FLOWS
from tests.shared.kube.fake import FakeServer, status


class Decider:
    """Creates a Pod; if that was refused, reports it in the status instead."""

    def __init__(self, flow: Body) -> None:
        self.flow = flow
        self.knew: list[dict[Child, Refusal]] = []

    def __call__(self, refusals: Mapping[Child, Refusal]) -> tuple[Body, Decision]:
        self.knew.append(dict(refusals))
        if refusals:
            return self.flow, Decision(status={"reason": next(iter(refusals.values())).message}, requeue_after=5)
        pod = {"metadata": {"name": "p", "namespace": "ns"}}
        return self.flow, Decision(actions=(Create(POD, pod),), status={"reason": ""})


async def test_the_next_decision_knows_a_refusal_until_the_action_succeeds(
    fake: FakeServer, context: ControllerContext
) -> None:
    key = Key("ns", "f")
    decide = Decider(fake.put(FLOWS, {"metadata": {"name": "f", "namespace": "ns"}}))
    memory = Refusals()

    async def quota(request: Any) -> Any:
        return status(403, "Forbidden", "exceeded quota") if request.method == "POST" else None

    fake.before = quota
    assert await decide_and_apply(context.applier, memory, JOBFLOW, key, decide) == 5
    assert [len(known) for known in decide.knew] == [0, 1]
    assert fake.objects[FLOWS]["ns", "f"]["status"] == {"reason": "exceeded quota"}

    fake.before = None
    decide.flow = fake.objects[FLOWS]["ns", "f"]
    retry = Decision(actions=(Create(POD, {"metadata": {"name": "p", "namespace": "ns"}}),), status={"reason": ""})
    assert await decide_and_apply(context.applier, memory, JOBFLOW, key, lambda refusals: (decide.flow, retry)) is None
    assert memory.of(key) == {}


async def test_a_decider_that_repeats_a_refused_action_is_stopped(fake: FakeServer, context: ControllerContext) -> None:
    flow = fake.put(FLOWS, {"metadata": {"name": "f", "namespace": "ns"}})
    insists = Decision(actions=(Create(POD, {"metadata": {"name": "p", "namespace": "ns"}}),))

    async def quota(request: Any) -> Any:
        return status(403, "Forbidden", "exceeded quota")

    fake.before = quota
    memory = Refusals()
    with pytest.raises(StaleError):
        await decide_and_apply(context.applier, memory, JOBFLOW, Key("ns", "f"), lambda refusals: (flow, insists))
    assert memory.of(Key("ns", "f"))[POD, "p"].count == 4
    memory.forget(Key("ns", "f"))
    assert memory.of(Key("ns", "f")) == {}
