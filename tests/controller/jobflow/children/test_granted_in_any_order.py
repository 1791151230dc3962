"""Steps create only what the users who requested the flow may create, in any order of events."""

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from controller.decision import Create, Decision, Delete, Patch
from controller.jobflow.model.observed import FlowCommand, GrantedKinds, ObservedFlow
from shared.resource_steps.rights import Claim
from shared.timestamp import rfc3339
from tests.controller.jobflow.children.test_granted_kinds import STOP
from tests.controller.jobflow.children.test_resource_steps import ENDS, MANIFEST, THING, ThingCluster
from tests.controller.jobflow.make import START, flow, step

KINDS = (THING.resource, f"{THING.resource}+patch")
CLAIMS = st.sampled_from((frozenset(KINDS), frozenset(KINDS[:1]), frozenset(KINDS[1:]), frozenset[str]()))


class ComparingCluster(ThingCluster):
    """A cluster whose policy compares claims `since` a moment; None: it is missing. Every creation is checked."""

    claim: Claim = frozenset()
    since: float | None = START - 100
    needed: Claim = frozenset()
    may_create = True

    def seen(self) -> ObservedFlow:
        since = math.inf if self.since is None else self.since
        claim = self.claim if since <= START else frozenset()
        missing = "the policy is missing" if self.since is None else ""
        return replace(super().seen(), granted=GrantedKinds(True, since, missing, claim))

    def _act(self, decision: Decision) -> bool:
        for action in decision.actions:
            if isinstance(action, Delete | Patch) and action.kind == THING:
                self.bodies.pop(action.name, None)
        creates = tuple(action for action in decision.actions if isinstance(action, Create))
        return super()._act(replace(decision, actions=creates))

    def _create(self, action: Create) -> bool:
        assert self.since is not None, "an object was created while the policy was missing"
        assert self.since <= START, "a flow from before the policy was there has created an object"
        assert self.needed <= self.claim, "an object was created that the flow does not claim"
        assert not self.created or self.may_create, "a Command without the right has started the step again"
        return super()._create(action)

    def order(self, action: str, claim: Claim, age: float) -> None:
        """A Command; `may_create`: whether its sender has the right to create what the flow creates."""
        self.serial += 1
        sent = self.now - age
        self.may_create = self.needed <= claim and self.since is not None and sent >= self.since
        name = f"c{self.serial}"
        self.commands.append(FlowCommand(name, f"{name}-uid", action, rfc3339(sent), claim=claim))


EVENTS = st.one_of(
    st.tuples(
        st.just("order"), st.sampled_from(("RetryJobFlow", "RestartJobFlow")), CLAIMS, st.sampled_from((0, 5000))
    ),
    st.tuples(st.just("report"), st.sampled_from(("bad", "bad", "good"))),
    st.tuples(st.just("remove the policy")),
    st.tuples(st.just("put the policy")),
    st.tuples(st.just("wait"), st.sampled_from((1, 40))),
)


def carry_out(cluster: ComparingCluster, event: tuple[Any, ...]) -> None:
    match event:
        case ("order", action, claim, age):
            cluster.order(action, claim, age)
        case ("report", state):
            cluster.bodies = {name: {**body, "status": {"state": state}} for name, body in cluster.bodies.items()}
        case ("remove the policy",):
            cluster.since = None
        case ("put the policy",):
            cluster.since = cluster.since or cluster.now + 10
        case ("wait", seconds):
            cluster.now += seconds


@settings(max_examples=150, deadline=None)
@given(CLAIMS, st.booleans(), st.booleans(), st.lists(EVENTS, min_size=4, max_size=12))
def test_nothing_is_created_that_the_flow_and_the_sender_of_the_last_command_may_not_create(
    claim: Claim, patched: bool, early: bool, events: list[tuple[Any, ...]]
) -> None:
    """`early`: the policy was missing when the flow was created."""
    resource = {"manifest": MANIFEST, **ENDS, **(STOP if patched else {})}
    cluster = ComparingCluster(flow(step("a", resource=resource)))
    cluster.claim, cluster.needed = claim, frozenset(KINDS if patched else KINDS[:1])
    cluster.since = None if early else cluster.since
    cluster.settle()
    assert bool(cluster.created) is (not early and cluster.needed <= claim)
    for event in events:
        carry_out(cluster, event)
        cluster.settle()
