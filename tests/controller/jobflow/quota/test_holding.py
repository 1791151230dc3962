"""Which flows a quota holds, what their status says, and when they start."""

import pytest

from controller.jobflow.model.observed import FlowCommand
from shared.key import Key
from shared.model.phases import JobPhase
from shared.model.types import Body
from shared.names import QUOTA_EXCEEDED
from shared.policy.quota.places import PlaceState, QuotaPlace
from shared.timestamp import rfc3339
from tests.controller.jobflow.make import START
from tests.controller.jobflow.quota.world import QuotaWorld, policy


def test_a_younger_flow_that_was_let_in_keeps_its_place_when_an_older_one_runs_again() -> None:
    world = QuotaWorld(policy(1))
    old, young = Key("a", "old"), Key("a", "young")
    world.create(old)
    world.drain()
    world.clusters[old].set_job("old-a", JobPhase.FAILED)
    world.queue[old] = None
    world.drain()
    world.create(young)
    world.clusters[old].commands.append(FlowCommand("c", "cu", "RetryJobFlow", rfc3339(START)))
    world.take_off(young)  # it has a place, which no status says yet
    world.reconcile(old)
    world.reconcile(old)
    world.land(young)
    world.drain()
    assert [world.clusters[key].status.state.reason for key in (old, young)] == [QUOTA_EXCEEDED, ""]
    assert world.clusters[young].unfinished() == ["young-a"]


def test_a_held_flow_says_what_it_waits_for_and_starts_when_there_is_room() -> None:
    world = QuotaWorld(policy(1))
    first, second = Key("a", "first"), Key("a", "second")
    world.create(first)
    world.create(second, activeDeadlineSeconds=60)
    world.drain()
    why = 'at most 1 JobFlows of namespace "a" may run at once (policy "p", limits.maxActiveFlows)'
    held = world.clusters[second]
    assert (held.phase, held.status.state.message, held.status.start_time) == ("Pending", why, None)
    assert held.next() == {"a": (why,)}
    assert held.notes == [("QuotaExceeded", why)]
    held.now += 3600
    world.delete(first)
    world.drain()
    assert held.unfinished() == ["second-a"]
    assert held.notes[-2][0] == "QuotaFree"
    assert held.status.start_time == rfc3339(held.now)


def test_no_quota_of_a_policy_that_only_warns_holds_a_flow() -> None:
    warning = policy(0)
    warning["spec"]["mode"] = "Warn"
    world = QuotaWorld(warning)
    world.create(Key("a", "f"))
    world.drain()
    assert world.clusters[Key("a", "f")].unfinished() == ["f-a"]


def test_held_flows_start_when_the_policy_is_deleted() -> None:
    world = QuotaWorld(policy(0))
    world.create(Key("a", "f"))
    world.drain()
    assert world.clusters[Key("a", "f")].unfinished() == []
    world.remove_policy()
    world.drain()
    assert world.clusters[Key("a", "f")].unfinished() == ["f-a"]


@pytest.mark.parametrize("change", ["the limit", "the policy"])
def test_a_flow_starts_whose_policy_changes_before_its_status_says_that_it_is_held(change: str) -> None:
    world, key = QuotaWorld(policy(0)), Key("a", "f")
    world.create(key)
    world.take_off(key)
    if change == "the limit":
        world.limit(1)
    else:
        world.remove_policy()
    world.land(key)
    world.drain()
    assert world.clusters[key].unfinished() == ["f-a"]


def with_exceptions() -> Body:
    limits = policy(0)
    limits["spec"]["exceptions"] = {"allowedNamespaces": ["a"], "maxDuration": "24h"}
    return limits


def an_exception() -> Body:
    metadata = {"name": "e", "namespace": "a", "uid": "e", "resourceVersion": "1", "creationTimestamp": rfc3339(START)}
    named = {"policies": [{"name": "p", "rules": ["limits.maxActiveFlows"]}], "match": {"names": ["f"]}}
    return {"metadata": metadata, "spec": {**named, "expiresAt": rfc3339(START + 3600), "reason": "urgent"}}


def test_a_flow_that_an_exception_names_starts_beyond_the_quota() -> None:
    world = QuotaWorld(with_exceptions())
    world.create(Key("a", "f"))
    world.create(Key("a", "g"))
    world.drain()
    assert world.running() == {"a": 0}
    world.book.exceptions.assume(an_exception())
    world.drain()
    assert world.clusters[Key("a", "f")].unfinished() == ["f-a"]
    assert world.clusters[Key("a", "g")].unfinished() == []


def test_a_flow_starts_whose_exception_comes_before_its_status_says_that_it_is_held() -> None:
    world, key = QuotaWorld(with_exceptions()), Key("a", "f")
    world.create(key)
    world.take_off(key)
    world.book.exceptions.assume(an_exception())
    world.land(key)
    world.drain()
    assert world.clusters[key].unfinished() == ["f-a"]


def test_a_flow_keeps_the_place_that_an_exception_gave_it_before_it_expired() -> None:
    world, key = QuotaWorld(with_exceptions()), Key("a", "f")
    world.create(key)
    world.book.exceptions.assume(an_exception())
    assert world.place(key).quota == QuotaPlace(PlaceState.GRANTED)
    world.now += 7200
    assert world.place(key).quota == QuotaPlace(PlaceState.GRANTED)
