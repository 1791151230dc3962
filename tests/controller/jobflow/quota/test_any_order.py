"""Quotas bind flows in any order of creations, ends, retries, suspensions, exceptions and restarts of the controller."""

from collections.abc import Callable
from random import Random
from typing import Any, Final, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.jobflow.model.observed import FlowCommand
from shared.key import Key
from shared.model.types import Body
from shared.policy.quota.standing import Standing
from shared.timestamp import rfc3339
from tests.controller.jobflow.quota.quota_cluster import QuotaCluster, policy
from tests.controller.quota.simulation import TEAMS

POLICIES: Final = (policy(2), policy(1), policy(2, namespaceLabel="team"), policy(1, objectLabel="who"), policy(0))
ANY: Final = 1000
ACTIONS: Final = ("RetryJobFlow", "RestartJobFlow", "TerminateJobFlow")


class FlowQuotaEvents:
    """Events at random. `most`: what the policy allows; `allowed`: how many flows may run, since a lowered limit stops none."""

    def __init__(self, limits: Body, random: Random) -> None:
        self.simulation = QuotaCluster(limits)
        self.random = random
        self.most = self.allowed = limits["spec"]["limits"]["maxActiveFlows"]

    def happen(self) -> None:
        event: Callable[[FlowQuotaEvents], None] = self.random.choices(*zip(*EVENTS, strict=True))[0]
        event(self)

    def pick(self) -> Key:
        """A flow; a new one while there is none."""
        if not self.simulation.clusters:
            self.create()
        return self.random.choice(list(self.simulation.clusters))

    def create(self) -> None:
        key = Key(self.random.choice(tuple(TEAMS)), self.random.choice("fgh"))
        labels = self.random.choice(({}, {"who": "ann"}, {"who": "bob"}))
        if key not in self.simulation.clusters:
            self.simulation.create(key, labels, suspend=self.random.random() < 0.2)

    def reconcile(self) -> None:
        if self.simulation.queue:
            self.simulation.reconcile(self.random.choice(list(self.simulation.queue)))

    def decide_only(self) -> None:
        self.simulation.decide_only(self.pick())

    def write(self) -> None:
        if self.simulation.unwritten:
            self.simulation.write(self.random.choice(list(self.simulation.unwritten)))

    def crash(self) -> None:
        self.simulation.crash(self.pick())

    def restart(self) -> None:
        self.simulation.restart()

    def end_a_job(self) -> None:
        keys = [key for key, each in self.simulation.clusters.items() if each.unfinished()]
        if keys:
            key = self.random.choice(keys)
            cluster = self.simulation.clusters[key]
            cluster.now += 1
            cluster.set_job(cluster.unfinished()[0], cast(Any, self.random.choice(("Completed", "Failed"))))
            self.simulation.queue[key] = None

    def suspend(self) -> None:
        self.simulation.suspend(self.pick(), self.random.random() < 0.5)

    def command(self) -> None:
        key, action = self.pick(), self.random.choice(ACTIONS)
        cluster = self.simulation.clusters[key]
        cluster.serial += 1
        cluster.commands.append(FlowCommand(f"c{cluster.serial}", f"cu{cluster.serial}", action, rfc3339(cluster.now)))
        self.simulation.queue[key] = None

    def delete(self) -> None:
        self.simulation.delete(self.pick())

    def grant_exception(self) -> None:
        self.simulation.grant_exception(self.pick())

    def remove_exception(self) -> None:
        if self.simulation.exceptions:
            self.simulation.remove_exception(self.random.choice(list(self.simulation.exceptions)))

    def pass_time(self) -> None:
        self.simulation.now += self.random.choice((1, 1800, 4000))

    def change_the_limit(self) -> None:
        if self.simulation.is_idle():
            self.allowed = 0
        self.most = self.random.randrange(4)
        self.simulation.limit(self.most)
        self.allowed = max(self.most, self.allowed)  # flows that a higher limit admitted are not stopped

    def remove_the_policy(self) -> None:
        self.simulation.remove_policy()
        self.most = self.allowed = ANY

    def settle(self) -> None:
        """Once nothing is left to do, no flow waits while there is room. Nothing is reconciled that no change wakes."""
        self.simulation.drain()
        holders: dict[str, int] = {}
        for key in self.simulation.standings(Standing.HOLDS):
            holders[self.simulation.group(key)] = holders.get(self.simulation.group(key), 0) + 1
        for key in self.simulation.standings(Standing.WAITS):
            group = self.simulation.group(key)
            assert holders.get(group, 0) >= self.most, f"{key} waits while {group} has room"
            assert not self.simulation.is_excepted(key), f"{key} waits although an exception lets it start"

    def check(self) -> None:
        beyond = self.simulation.running(self.simulation.excepted)
        for group, count in self.simulation.running().items():
            most = self.allowed + beyond.get(group, 0)
            assert count <= most, f"{count} flows of {group} run at once, at most {most}"


EVENTS: Final[tuple[tuple[Callable[[FlowQuotaEvents], None], float], ...]] = (
    (FlowQuotaEvents.create, 10),
    (FlowQuotaEvents.reconcile, 30),
    (FlowQuotaEvents.decide_only, 12),
    (FlowQuotaEvents.write, 6),
    (FlowQuotaEvents.end_a_job, 12),
    (FlowQuotaEvents.suspend, 5),
    (FlowQuotaEvents.command, 5),
    (FlowQuotaEvents.delete, 2),
    (FlowQuotaEvents.settle, 5),
    (FlowQuotaEvents.crash, 2),
    (FlowQuotaEvents.restart, 1),
    (FlowQuotaEvents.grant_exception, 1),
    (FlowQuotaEvents.remove_exception, 1),
    (FlowQuotaEvents.pass_time, 1),
    (FlowQuotaEvents.change_the_limit, 1),
    (FlowQuotaEvents.remove_the_policy, 0.3),
)


@settings(max_examples=60, deadline=None)
@given(limits=st.sampled_from(POLICIES), seed=st.integers(0, 2**32))
def test_no_more_flows_run_than_a_quota_allows_and_none_waits_while_there_is_room(limits: Body, seed: int) -> None:
    events = FlowQuotaEvents(limits, Random(seed))
    for _ in range(150):
        events.happen()
        events.check()
    events.settle()
    events.check()
