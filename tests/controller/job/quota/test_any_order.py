"""Quotas bind Jobs in any order of events of users, pods, policies and exceptions, of deliveries, and of ends of the
controller."""

from collections.abc import Callable
from random import Random
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.key import Key
from shared.model.types import Body
from shared.policy.quota.standing import Standing
from tests.controller.job.quota.quota_cluster import JobQuotaCluster, quota
from tests.controller.quota.simulation import TEAMS

POLICIES: tuple[tuple[Body, ...], ...] = (
    (quota(1),),
    (quota(2),),
    (quota(0),),
    (quota(2, namespaceLabel="team"),),
    (quota(1, objectLabel="who"),),
    (quota(2), quota(1, "q", objectLabel="who")),
)
ANY: Final = 1000
ACTIONS: Final = ("AbortJob", "ResumeJob", "RestartJob", "TerminateJob", "CompleteJob")


class JobQuotaEvents:
    """Events at random in a cluster. `allowed`: by policy, how many Jobs of a group may be active; a lowered limit stops none."""

    def __init__(self, policies: tuple[Body, ...], random: Random) -> None:
        self.cluster = JobQuotaCluster(*policies)
        self.random = random
        self.allowed = {each["metadata"]["name"]: each["spec"]["limits"]["maxActiveJobs"] for each in policies}

    def happen(self) -> None:
        event: Callable[[JobQuotaEvents], None] = self.random.choices(*zip(*EVENTS, strict=True))[0]
        event(self)

    def pick(self) -> Key:
        """A Job; a new one while there is none."""
        if not self.cluster.toys:
            self.create()
        return self.random.choice(list(self.cluster.toys))

    def create(self) -> None:
        key = Key(self.random.choice(tuple(TEAMS)), self.random.choice(("demo-f", "demo-g", "demo-h")))
        labels = self.random.choice(({}, {"who": "ann"}, {"who": "bob"}))
        if key not in self.cluster.toys:
            self.cluster.create(key, labels, **({"suspend": True} if self.random.random() < 0.2 else {}))

    def deliver(self) -> None:
        if self.cluster.late:
            self.cluster.deliver(self.random.choice(list(self.cluster.late)))

    def reconcile(self) -> None:
        if self.cluster.queue:
            self.cluster.reconcile(self.random.choice(list(self.cluster.queue)))

    def decide_only(self) -> None:
        self.cluster.decide_only(self.random.choice(list(self.cluster.queue)) if self.cluster.queue else self.pick())

    def write(self) -> None:
        if self.cluster.unwritten:
            self.cluster.write(self.random.choice(list(self.cluster.unwritten)))

    def crash(self) -> None:
        self.cluster.crash(self.pick())

    def restart(self) -> None:
        self.cluster.restart()

    def pods(self) -> None:
        if keys := [key for key, toy in self.cluster.toys.items() if toy.pods]:
            self.cluster.pods(self.random.choice(keys), self.random.choice(("run", "succeed", "fail", "vanish")))

    def suspend(self) -> None:
        self.cluster.suspend(self.pick(), self.random.random() < 0.5)

    def order(self) -> None:
        self.cluster.order(self.pick(), self.random.choice(ACTIONS))

    def delete(self) -> None:
        self.cluster.delete(self.pick())

    def delete_in_foreground(self) -> None:
        self.cluster.delete_in_foreground(self.pick())

    def grant_exception(self) -> None:
        self.cluster.grant_exception(self.pick())

    def remove_exception(self) -> None:
        if self.cluster.exceptions:
            self.cluster.remove_exception(self.random.choice(list(self.cluster.exceptions)))

    def pass_time(self) -> None:
        self.cluster.now += self.random.choice((1, 1800, 4000))

    def change_the_limit(self) -> None:
        name, most = self.random.choice(list(self.cluster.policies) or ["p"]), self.random.randrange(4)
        if self.cluster.is_idle():
            self.allowed[name] = 0
        elif name not in self.cluster.policies:
            self.allowed[name] = ANY
        self.cluster.limit(name, most)
        self.allowed[name] = max(most, self.allowed[name])

    def remove_policy(self) -> None:
        if self.cluster.policies:
            self.cluster.remove_policy(self.random.choice(list(self.cluster.policies)))

    def settle(self) -> None:
        """Once nothing is left to do, no Job waits while there is room. Nothing is reconciled that no change wakes."""
        self.cluster.drain()
        holders = self.cluster.with_standing(Standing.HOLDS)
        for key in self.cluster.with_standing(Standing.WAITS):
            assert self.is_full_for(key, holders), f"{key} waits while there is room"
            assert not self.cluster.is_excepted(key), f"{key} waits although an exception lets it start"
            assert not self.cluster.has_pods(key), f"{key} waits and has pods"
            assert self.cluster.toys[key].group is None, f"{key} waits and has a PodGroup"

    def is_full_for(self, key: Key, holders: list[Key]) -> bool:
        return any(
            self.cluster.counted(each, holders).get(self.cluster.group(each, key), 0)
            >= each["spec"]["limits"]["maxActiveJobs"]
            for each in self.cluster.policies.values()
        )

    def check(self) -> None:
        active = [key for key in self.cluster.toys if self.cluster.has_pods(key)]
        excepted = [key for key in active if key in self.cluster.excepted]
        for policy in self.cluster.policies.values():
            allowed, beyond = self.allowed[policy["metadata"]["name"]], self.cluster.counted(policy, excepted)
            for group, count in self.cluster.counted(policy, active).items():
                assert count <= allowed + beyond.get(group, 0), f"{count} Jobs of {group} have pods, at most {allowed}"


EVENTS: Final[tuple[tuple[Callable[[JobQuotaEvents], None], float], ...]] = (
    (JobQuotaEvents.create, 10),
    (JobQuotaEvents.deliver, 15),
    (JobQuotaEvents.reconcile, 30),
    (JobQuotaEvents.decide_only, 12),
    (JobQuotaEvents.write, 6),
    (JobQuotaEvents.pods, 15),
    (JobQuotaEvents.suspend, 5),
    (JobQuotaEvents.order, 6),
    (JobQuotaEvents.delete, 2),
    (JobQuotaEvents.delete_in_foreground, 1),
    (JobQuotaEvents.settle, 6),
    (JobQuotaEvents.crash, 2),
    (JobQuotaEvents.restart, 1),
    (JobQuotaEvents.grant_exception, 1),
    (JobQuotaEvents.remove_exception, 1),
    (JobQuotaEvents.pass_time, 1),
    (JobQuotaEvents.change_the_limit, 1),
    (JobQuotaEvents.remove_policy, 0.3),
)


@settings(max_examples=60, deadline=None)
@given(policies=st.sampled_from(POLICIES), seed=st.integers(0, 2**32))
def test_no_more_jobs_are_active_than_quotas_allow_and_none_waits_while_there_is_room(
    policies: tuple[Body, ...], seed: int
) -> None:
    events = JobQuotaEvents(policies, Random(seed))
    for _ in range(200):
        events.happen()
        events.check()
    events.settle()
    events.check()
