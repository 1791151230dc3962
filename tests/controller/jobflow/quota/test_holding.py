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
from tests.controller.jobflow.quota.quota_cluster import QuotaCluster, policy


def test_a_younger_flow_that_was_let_in_keeps_its_place_when_an_older_one_runs_again() -> None:
    simulation = QuotaCluster(policy(1))
    old, young = Key("a", "old"), Key("a", "young")
    simulation.create(old)
    simulation.drain()
    simulation.clusters[old].set_job("old-a", JobPhase.FAILED)
    simulation.queue[old] = None
    simulation.drain()
    simulation.create(young)
    simulation.clusters[old].commands.append(FlowCommand("c", "cu", "RetryJobFlow", rfc3339(START)))
    simulation.decide_only(young)  # it has a place, which no status says yet
    simulation.reconcile(old)
    simulation.reconcile(old)
    simulation.write(young)
    simulation.drain()
    assert [simulation.clusters[key].status.state.reason for key in (old, young)] == [QUOTA_EXCEEDED, ""]
    assert simulation.clusters[young].unfinished() == ["young-a"]


@pytest.mark.parametrize(
    ("action", "said"), [("RetryJobFlow", "steps a, b run again"), ("RestartJobFlow", "all steps run again")]
)
@pytest.mark.parametrize("is_full", [True, False])
def test_a_flow_that_is_to_run_again_says_that_it_waits_for_the_quota(action: str, said: str, is_full: bool) -> None:
    simulation = QuotaCluster(policy(1))
    ended, other = Key("a", "ended"), Key("a", "other")
    simulation.create(ended)
    simulation.drain()
    simulation.clusters[ended].set_job("ended-a", JobPhase.FAILED)
    simulation.queue[ended] = None
    simulation.drain()
    if is_full:
        simulation.create(other)
        simulation.drain()
    simulation.clusters[ended].commands.append(FlowCommand("c", "cu", action, rfc3339(START)))
    simulation.reconcile(ended)
    why = 'at most 1 JobFlow of namespace "a" may run at once (policy "p", limits.maxActiveFlows)'
    (result,) = simulation.clusters[ended].status.command_results
    assert result.message == (f"{said}, once the quota has room: {why}" if is_full else said)
    simulation.drain()
    assert bool(simulation.clusters[ended].unfinished()) is not is_full


def test_a_held_flow_says_what_it_waits_for_and_starts_when_there_is_room() -> None:
    simulation = QuotaCluster(policy(1))
    first, second = Key("a", "first"), Key("a", "second")
    simulation.create(first)
    simulation.create(second, activeDeadlineSeconds=60)
    simulation.drain()
    why = 'at most 1 JobFlow of namespace "a" may run at once (policy "p", limits.maxActiveFlows)'
    held = simulation.clusters[second]
    assert (held.phase, held.status.state.message, held.status.start_time) == ("Pending", why, None)
    assert held.next() == {"a": (why,)}
    assert held.notes == [("QuotaExceeded", why)]
    held.now += 3600
    simulation.delete(first)
    simulation.drain()
    assert held.unfinished() == ["second-a"]
    assert held.notes[-2][0] == "QuotaFree"
    assert held.status.start_time == rfc3339(held.now)


def test_no_quota_of_a_policy_that_only_warns_holds_a_flow() -> None:
    warning = policy(0)
    warning["spec"]["mode"] = "Warn"
    simulation = QuotaCluster(warning)
    simulation.create(Key("a", "f"))
    simulation.drain()
    assert simulation.clusters[Key("a", "f")].unfinished() == ["f-a"]


def test_held_flows_start_when_the_policy_is_deleted() -> None:
    simulation = QuotaCluster(policy(0))
    simulation.create(Key("a", "f"))
    simulation.drain()
    assert simulation.clusters[Key("a", "f")].unfinished() == []
    simulation.remove_policy()
    simulation.drain()
    assert simulation.clusters[Key("a", "f")].unfinished() == ["f-a"]


@pytest.mark.parametrize("change", ["the limit", "the policy"])
def test_a_flow_starts_whose_policy_changes_before_its_status_says_that_it_is_held(change: str) -> None:
    simulation, key = QuotaCluster(policy(0)), Key("a", "f")
    simulation.create(key)
    simulation.decide_only(key)
    if change == "the limit":
        simulation.limit(1)
    else:
        simulation.remove_policy()
    simulation.write(key)
    simulation.drain()
    assert simulation.clusters[key].unfinished() == ["f-a"]


def with_exceptions() -> Body:
    limits = policy(0)
    limits["spec"]["exceptions"] = {"allowedNamespaces": ["a"], "maxDuration": "24h"}
    return limits


def an_exception() -> Body:
    metadata = {"name": "e", "namespace": "a", "uid": "e", "resourceVersion": "1", "creationTimestamp": rfc3339(START)}
    named = {"policies": [{"name": "p", "rules": ["limits.maxActiveFlows"]}], "match": {"names": ["f"]}}
    return {"metadata": metadata, "spec": {**named, "expiresAt": rfc3339(START + 3600), "reason": "urgent"}}


def test_a_flow_that_an_exception_names_starts_beyond_the_quota() -> None:
    simulation = QuotaCluster(with_exceptions())
    simulation.create(Key("a", "f"))
    simulation.create(Key("a", "g"))
    simulation.drain()
    assert simulation.running() == {"a": 0}
    simulation.book.exceptions.assume(an_exception())
    simulation.drain()
    assert simulation.clusters[Key("a", "f")].unfinished() == ["f-a"]
    assert simulation.clusters[Key("a", "g")].unfinished() == []


def test_a_flow_starts_whose_exception_comes_before_its_status_says_that_it_is_held() -> None:
    simulation, key = QuotaCluster(with_exceptions()), Key("a", "f")
    simulation.create(key)
    simulation.decide_only(key)
    simulation.book.exceptions.assume(an_exception())
    simulation.write(key)
    simulation.drain()
    assert simulation.clusters[key].unfinished() == ["f-a"]


def test_a_flow_keeps_the_place_that_an_exception_gave_it_before_it_expired() -> None:
    simulation, key = QuotaCluster(with_exceptions()), Key("a", "f")
    simulation.create(key)
    simulation.book.exceptions.assume(an_exception())
    assert simulation.place(key).quota == QuotaPlace(PlaceState.GRANTED)
    simulation.now += 7200
    assert simulation.place(key).quota == QuotaPlace(PlaceState.GRANTED)
