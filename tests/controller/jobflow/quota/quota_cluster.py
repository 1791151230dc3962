"""Flows of several namespaces under one policy with a quota, and the parts of the controller that drive them."""

from collections.abc import Collection
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from controller.decision import Create, Decision
from controller.jobflow.observe.flow_quotas import flow_quotas
from shared.key import Key
from shared.kinds import JOBFLOW
from shared.kube.cache.cache import Caches
from shared.kube.client.reader import ApiReader
from shared.model.flow import JobFlow
from shared.model.flow_status import JobFlowStatus
from shared.model.types import Body
from shared.policy.quota.flow_standing import flow_standing
from shared.policy.quota.standing import Standing
from shared.timestamp import rfc3339
from tests.controller.jobflow.make import START, FlowCluster, flow, step
from tests.controller.quota.simulation import TEAMS, QuotaSimulation


def policy(most: int, version: int = 1, **per: str) -> Body:
    limits: Body = {"maxActiveFlows": most, **({"countPer": per} if per else {})}
    return {
        "metadata": {"name": "p", "uid": "p", "generation": version, "resourceVersion": str(version)},
        "spec": {"limits": limits, "exceptions": {"allowedNamespaces": ["*"], "maxDuration": "24h"}},
    }


class QuotaCluster(QuotaSimulation):
    """Flows of several namespaces, each in a FlowCluster, under one policy and one book of quotas."""

    def __init__(self, limits: Body) -> None:
        super().__init__("limits.maxActiveFlows", START)
        self.policy = limits
        self.removed = False
        self.clusters: dict[Key, FlowCluster] = {}
        self.unwritten: dict[Key, tuple[JobFlow, Decision]] = {}
        self.restart()

    # -- the controller -----------------------------------------------------------------------------------------------
    def restart(self) -> None:
        """A new process: nothing is left but what is stored. What an old one had not written is lost."""
        self.unwritten.clear()
        self.queue = dict.fromkeys(self.clusters)
        caches = Caches(cast(ApiReader, None))
        self.flows = caches.want(JOBFLOW)
        self.book = flow_quotas(caches, self.flows, lambda: self.now)
        self.fill(self.flows, () if self.removed else (self.policy,), map(self.body, self.clusters))

    def place(self, key: Key) -> FlowCluster:
        cluster, body = self.clusters[key], self.flows.get(*key)
        assert body is not None
        cluster.quota = self.book.place(key, body)
        return cluster

    def reconcile(self, key: Key) -> None:
        self.queue.pop(key, None)
        if key not in self.clusters:
            return
        if key in self.unwritten:
            self.write(key)
        cluster = self.place(key)
        before = cluster.flow
        decision = cluster.turn()
        if cluster.flow != before:
            self.current = key
            self.store(key)
            self.current = None
        if decision.requeue_after == 0.0:
            self.queue[key] = None

    def decide_only(self, key: Key) -> None:
        """A pass decides about a flow; its writes are delayed, and passes over other flows happen in between."""
        if key not in self.unwritten:
            self.queue.pop(key, None)
            decision = self.place(key).decide().decision
            self.unwritten[key] = (self.clusters[key].flow, decision)

    def write(self, key: Key) -> None:
        """Its writes reach the API server. A status of a flow that has changed since is refused."""
        seen, decision = self.unwritten.pop(key)
        if (cluster := self.clusters.get(key)) is None or cluster.flow.metadata.uid != seen.metadata.uid:
            return
        for action in decision.actions:
            if isinstance(action, Create):
                cluster._create(action)
        stale = cluster.flow is not seen
        if not stale and decision.status is not None:
            cluster.flow = replace(seen, status=msgspec.convert(decision.status, JobFlowStatus))
            self.current = key  # its own write does not wake it
            self.store(key)
            self.current = None
        if stale or decision.requeue_after == 0.0:
            self.queue[key] = None

    def crash(self, key: Key) -> None:
        """The process ends after it has created what it decided to create, and before it has written the status."""
        if key in self.unwritten:
            self.write(key)
        cluster = self.place(key)
        for action in cluster.decide().decision.actions:
            if isinstance(action, Create):
                cluster._create(action)
        self.restart()

    def drain(self) -> None:
        for key in tuple(self.unwritten):
            self.write(key)
        self.reconcile_all()

    # -- what is stored ---------------------------------------------------------------------------------------------------
    def body(self, key: Key) -> Body:
        body: Body = msgspec.json.decode(msgspec.json.encode(self.clusters[key].flow))
        body["metadata"]["resourceVersion"] = str(self.version)
        return body

    def store(self, key: Key) -> None:
        self.version += 1
        self.flows.assume(self.body(key))

    def create(self, key: Key, labels: dict[str, str] | None = None, **spec: Any) -> None:
        made = flow(step("a"), step("b", "a"), **spec)
        created = rfc3339(START + len(self.clusters) // 2)
        metadata = replace(
            made.metadata,
            name=key.name,
            namespace=key.namespace,
            uid=f"uid-{self.version}",
            creation_timestamp=created,
            labels=labels or {},
        )
        self.clusters[key] = FlowCluster(replace(made, metadata=metadata))
        self.store(key)

    def suspend(self, key: Key, value: bool) -> None:
        cluster = self.clusters[key]
        metadata = replace(cluster.flow.metadata, generation=cluster.flow.metadata.generation + 1)
        cluster.flow = replace(cluster.flow, metadata=metadata, spec=replace(cluster.flow.spec, suspend=value))
        self.store(key)

    def delete(self, key: Key) -> None:
        uid = self.clusters.pop(key).flow.metadata.uid
        self.flows.assume_deleted(key.namespace, key.name, uid)

    def limit(self, most: int) -> None:
        self.version += 1
        per = self.policy["spec"]["limits"].get("countPer", {})
        uid = f"p-{self.version}" if self.removed else self.policy["metadata"]["uid"]
        self.policy = policy(most, self.version, **per)
        self.policy["metadata"]["uid"] = uid
        self.removed = False
        self.book.policies.assume(self.policy)

    def remove_policy(self) -> None:
        self.removed = True
        self.book.policies.assume_deleted("", "p", self.policy["metadata"]["uid"])

    # -- queries ------------------------------------------------------------------------------------------------
    def group(self, key: Key) -> str:
        per = self.policy["spec"]["limits"].get("countPer") or {}
        if "objectLabel" in per:
            return str(self.clusters[key].flow.metadata.labels.get(per["objectLabel"], ""))
        return TEAMS[key.namespace] if per else key.namespace

    def running(self, among: Collection[Key] | None = None) -> dict[str, int]:
        """The flows with unfinished Jobs of each group, of all flows or those given."""
        keys = [key for key in self.clusters if among is None or key in among]
        found = dict.fromkeys(map(self.group, keys), 0)
        for key in keys:
            found[self.group(key)] += bool(self.clusters[key].unfinished())
        return found

    def is_idle(self) -> bool:
        """Whether no flow runs, or may have been admitted."""
        return not self.unwritten and all(flow_standing(self.body(key)) is Standing.IDLE for key in self.clusters)

    def standings(self, standing: Standing) -> list[Key]:
        return [key for key in self.clusters if flow_standing(self.body(key)) is standing]
