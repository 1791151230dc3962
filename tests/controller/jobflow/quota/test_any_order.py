"""Quotas bind flows in any order of creations, ends, retries, suspensions and restarts of the controller."""

from typing import Any, cast

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from controller.jobflow.model.observed import FlowCommand
from shared.key import Key
from shared.model.types import Body
from shared.policy.quota.standing import Standing
from shared.timestamp import rfc3339
from tests.controller.jobflow.quota.quota_cluster import NAMESPACES, QuotaCluster, policy

POLICIES = (policy(2), policy(1), policy(2, namespaceLabel="team"), policy(1, objectLabel="who"), policy(0))

ANY = 1000


class QuotaMachine(RuleBasedStateMachine):
    simulation: QuotaCluster
    most: int
    allowed: int

    @initialize(limits=st.sampled_from(POLICIES))
    def begin(self, limits: Body) -> None:
        self.simulation = QuotaCluster(limits)
        self.most = limits["spec"]["limits"]["maxActiveFlows"]
        self.allowed = self.most

    def pick(self, data: st.DataObject, keys: list[Key]) -> Key:
        return data.draw(st.sampled_from(keys))

    @rule(
        namespace=st.sampled_from(tuple(NAMESPACES)),
        name=st.sampled_from("fgh"),
        who=st.sampled_from(("", "ann", "bob")),
        suspend=st.booleans(),
    )
    def create(self, namespace: str, name: str, who: str, suspend: bool) -> None:
        if (key := Key(namespace, name)) not in self.simulation.clusters:
            self.simulation.create(key, {"who": who} if who else {}, suspend=suspend)

    @precondition(lambda self: self.simulation.queue)
    @rule(data=st.data())
    def reconcile(self, data: st.DataObject) -> None:
        self.simulation.reconcile(self.pick(data, list(self.simulation.queue)))

    @precondition(lambda self: self.simulation.clusters)
    @rule(data=st.data())
    def reconcile_any(self, data: st.DataObject) -> None:
        self.simulation.reconcile(self.pick(data, list(self.simulation.clusters)))

    @precondition(lambda self: self.simulation.clusters)
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        self.simulation.crash(self.pick(data, list(self.simulation.clusters)))

    @precondition(lambda self: self.simulation.clusters)
    @rule(data=st.data())
    def decide_only(self, data: st.DataObject) -> None:
        self.simulation.decide_only(self.pick(data, list(self.simulation.clusters)))

    @precondition(lambda self: self.simulation.unwritten)
    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        self.simulation.write(self.pick(data, list(self.simulation.unwritten)))

    @rule()
    def restart(self) -> None:
        self.simulation.restart()

    @precondition(lambda self: any(each.unfinished() for each in self.simulation.clusters.values()))
    @rule(data=st.data(), good=st.booleans())
    def end_a_job(self, data: st.DataObject, good: bool) -> None:
        key = self.pick(data, [key for key, each in self.simulation.clusters.items() if each.unfinished()])
        cluster = self.simulation.clusters[key]
        cluster.now += 1
        name = cluster.unfinished()[0]
        cluster.set_job(name, cast(Any, "Completed" if good else "Failed"))
        self.simulation.queue[key] = None

    @precondition(lambda self: self.simulation.clusters)
    @rule(data=st.data(), value=st.booleans())
    def suspend(self, data: st.DataObject, value: bool) -> None:
        self.simulation.suspend(self.pick(data, list(self.simulation.clusters)), value)

    @precondition(lambda self: self.simulation.clusters)
    @rule(data=st.data(), action=st.sampled_from(("RetryJobFlow", "RestartJobFlow", "TerminateJobFlow")))
    def command(self, data: st.DataObject, action: str) -> None:
        key = self.pick(data, list(self.simulation.clusters))
        cluster = self.simulation.clusters[key]
        cluster.serial += 1
        sent = FlowCommand(f"c{cluster.serial}", f"cu{cluster.serial}", action, rfc3339(cluster.now))
        cluster.commands.append(sent)
        self.simulation.queue[key] = None

    @precondition(lambda self: self.simulation.clusters)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self.simulation.delete(self.pick(data, list(self.simulation.clusters)))

    @rule(most=st.integers(0, 3))
    def change_the_limit(self, most: int) -> None:
        if self.simulation.is_idle():
            self.allowed = 0
        self.simulation.limit(most)
        self.most, self.allowed = most, max(most, self.allowed)  # flows that a higher limit admitted are not stopped

    @rule()
    def remove_the_policy(self) -> None:
        self.simulation.remove_policy()
        self.most = self.allowed = ANY

    @precondition(lambda self: not self.simulation.unwritten)
    @rule()
    def settle(self) -> None:
        """Once nothing is left to do, no flow waits while there is room. Nothing is reconciled that no change wakes."""
        self.simulation.drain()
        holders: dict[str, int] = {}
        for key in self.simulation.standings(Standing.HOLDS):
            holders[self.simulation.group(key)] = holders.get(self.simulation.group(key), 0) + 1
        for key in self.simulation.standings(Standing.WAITS):
            group = self.simulation.group(key)
            assert holders.get(group, 0) >= self.most, f"{key} waits while {group} has room"

    @invariant()
    def no_more_run_than_allowed(self) -> None:
        if not hasattr(self, "world"):
            return
        for group, count in self.simulation.running().items():
            assert count <= self.allowed, f"{count} flows of {group} run at once, at most {self.allowed}"


QuotaMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
test_no_more_flows_run_than_a_quota_allows_and_none_waits_while_there_is_room = QuotaMachine.TestCase
