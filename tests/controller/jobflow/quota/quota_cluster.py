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
from shared.policy.quota.standing import Standing, standing_of
from shared.timestamp import rfc3339
from tests.controller.jobflow.make import START, FlowCluster, flow, step

NAMESPACES = {"a": "x", "b": "x", "c": "y"}


def policy(most: int, version: int = 1, **per: str) -> Body:
    limits: Body = {"maxActiveFlows": most, **({"countPer": per} if per else {})}
    return {
        "metadata": {"name": "p", "uid": "p", "generation": version, "resourceVersion": str(version)},
        "spec": {"limits": limits, "exceptions": {"allowedNamespaces": ["*"], "maxDuration": "24h"}},
    }


class QuotaCluster:
    """Flows of several namespaces, each in a FlowCluster, under one policy and one book of quotas."""

    def __init__(self, limits: Body) -> None:
        self.policy = limits
        self.removed = False
        self.exceptions: dict[str, Body] = {}
        self.excepted: set[Key] = set()
        self.clusters: dict[Key, FlowCluster] = {}
        self.version = 1
        self.now = START
        self.queue: dict[Key, None] = {}
        self.current: Key | None = None
        self.unwritten: dict[Key, tuple[JobFlow, Decision]] = {}
        self.restart()

    # -- the controller -----------------------------------------------------------------------------------------------
    def restart(self) -> None:
        """A new process: nothing is left but what is stored. What an old one had not written is lost."""
        self.unwritten.clear()
        self.queue = dict.fromkeys(self.clusters)
        self.caches = Caches(cast(ApiReader, None))
        self.flows = self.caches.want(JOBFLOW)
        self.book = flow_quotas(self.caches, self.flows, lambda: self.now)
        for name, team in NAMESPACES.items():
            namespace = {"metadata": {"name": name, "uid": name, "resourceVersion": "1", "labels": {"team": team}}}
            self.book.namespaces.assume(namespace)
        if not self.removed:
            self.book.policies.assume(self.policy)
        for each in self.exceptions.values():
            self.book.exceptions.assume(each)
        for key in self.clusters:
            self.flows.assume(self.body(key))
        self.flows.on_change(self._wake)
        self.book.exceptions.on_change(self._wake_held)
        self.book.policies.on_change(self._wake_held)

    def _wake(self, old: Body | None, new: Body | None) -> None:
        metadata = (new or old or {})["metadata"]
        if (key := Key(metadata["namespace"], metadata["name"])) != self.current:
            self.queue[key] = None
        self.queue.update(dict.fromkeys(self.book.freed(old, new)))

    def _wake_held(self, old: Body | None, new: Body | None) -> None:
        self.queue.update(dict.fromkeys(self.book.held(old, new)))

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
        for _ in range(2000):
            if not self.queue:
                return
            self.reconcile(next(iter(self.queue)))
        raise AssertionError("never settles")

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

    def grant_exception(self, key: Key, seconds: float = 3600) -> None:
        """Allow a flow to exceed the quota for a while."""
        self.version += 1
        name = f"e{self.version}"
        created = {"creationTimestamp": rfc3339(self.now), "resourceVersion": str(self.version)}
        self.exceptions[name] = {
            "metadata": {"name": name, "namespace": key.namespace, "uid": name, **created},
            "spec": {
                "policies": [{"name": "p", "rules": ["limits.maxActiveFlows"]}],
                "match": {"names": [key.name]},
                "expiresAt": rfc3339(self.now + seconds),
                "reason": "urgent",
            },
        }
        self.excepted.add(key)
        self.book.exceptions.assume(self.exceptions[name])

    def remove_exception(self, name: str) -> None:
        namespace = self.exceptions.pop(name)["metadata"]["namespace"]
        self.book.exceptions.assume_deleted(namespace, name, name)

    # -- queries ------------------------------------------------------------------------------------------------
    def group(self, key: Key) -> str:
        per = self.policy["spec"]["limits"].get("countPer") or {}
        if "objectLabel" in per:
            return str(self.clusters[key].flow.metadata.labels.get(per["objectLabel"], ""))
        return NAMESPACES[key.namespace] if per else key.namespace

    def running(self, among: Collection[Key] | None = None) -> dict[str, int]:
        """The flows with unfinished Jobs of each group, of all flows or those given."""
        keys = [key for key in self.clusters if among is None or key in among]
        found = dict.fromkeys(map(self.group, keys), 0)
        for key in keys:
            found[self.group(key)] += bool(self.clusters[key].unfinished())
        return found

    def is_excepted(self, key: Key) -> bool:
        return any(
            each["metadata"]["namespace"] == key.namespace
            and each["spec"]["match"]["names"] == [key.name]
            and rfc3339(self.now) < each["spec"]["expiresAt"]
            for each in self.exceptions.values()
        )

    def is_idle(self) -> bool:
        """Whether no flow runs, or may have been admitted."""
        return not self.unwritten and all(standing_of(self.body(key)) is Standing.IDLE for key in self.clusters)

    def standings(self, standing: Standing) -> list[Key]:
        return [key for key in self.clusters if standing_of(self.body(key)) is standing]
