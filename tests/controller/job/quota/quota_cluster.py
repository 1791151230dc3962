"""Jobs of several namespaces under policies with quotas, and the parts of the controller that drive them."""

import copy
from collections.abc import Iterable
from typing import Any, cast

from controller.decision import Decision
from controller.job.observe.job_quotas import job_quotas
from shared.key import Key
from shared.kinds import JOB
from shared.kube.cache.cache import Caches
from shared.kube.client.reader import ApiReader
from shared.model.types import Body
from shared.policy.quota.job_standing import job_standing
from shared.policy.quota.standing import Standing
from shared.timestamp import rfc3339
from tests.controller.job.make import NOW, job, task
from tests.controller.job.toy import Toy
from tests.controller.quota.simulation import TEAMS, QuotaSimulation


def quota(most: int, name: str = "p", **per: str) -> Body:
    """A policy that lets so many Jobs of a group be active, with exceptions of up to a day in every namespace."""
    limits: Body = {"maxActiveJobs": most, **({"countPer": per} if per else {})}
    return {
        "metadata": {"name": name, "uid": name, "generation": 1, "resourceVersion": "1"},
        "spec": {"limits": limits, "exceptions": {"allowedNamespaces": ["*"], "maxDuration": "24h"}},
    }


class JobQuotaCluster(QuotaSimulation):
    """Jobs, each in a Toy, under one book of quotas. Changes by others reach the cache only when they are delivered."""

    def __init__(self, *policies: Body) -> None:
        super().__init__("limits.maxActiveJobs", NOW)
        self.policies: dict[str, Body] = {each["metadata"]["name"]: each for each in policies}
        self.toys: dict[Key, Toy] = {}
        self.late: dict[Key, str] = {}
        self.unwritten: dict[Key, tuple[Body, Decision]] = {}
        self.restart()

    # -- the controller -----------------------------------------------------------------------------------------------
    def restart(self) -> None:
        """A new process: nothing is left but what is stored. What an old one had begun to write is stored or lost."""
        self.late.clear()
        self.unwritten.clear()
        caches = Caches(cast(ApiReader, None))
        self.jobs = caches.want(JOB)
        self.book = job_quotas(caches, self.jobs, lambda: self.now)
        self.queue = dict.fromkeys(self.toys)
        self.fill(self.jobs, self.policies.values(), (toy.job for toy in self.toys.values()))

    def reconcile(self, key: Key) -> None:
        if key in self.unwritten:
            self.write(key)
        self.decide_only(key)
        self.write(key)

    def decide_only(self, key: Key) -> None:
        """A pass decides by what the cache has; its writes take a while, and passes over other Jobs come between."""
        if key in self.unwritten:
            return
        toy, seen = self.toys.get(key), self.jobs.get(*key)
        self.queue.pop(key, None)
        if toy is None or seen is None or seen["metadata"]["uid"] != toy.job["metadata"]["uid"]:
            return
        toy.now, toy.place = self.now, self.book.place(key, seen)
        stored, toy.job = toy.job, seen
        decision = toy.decide()
        toy.job = stored
        self.unwritten[key] = (seen, decision)

    def write(self, key: Key, *, status: bool = True) -> None:
        """The writes of a pass arrive. A status of a Job that has changed since is refused. `status`: False if the process
        ends before it writes the status."""
        seen, decision = self.unwritten.pop(key, ({}, Decision()))
        toy = self.toys.get(key)
        if toy is None or not seen or seen["metadata"]["uid"] != toy.job["metadata"]["uid"]:
            return
        toy._perform(decision.first)
        toy._perform(decision.actions)
        if not status:
            return
        if seen["metadata"]["resourceVersion"] != toy.job["metadata"]["resourceVersion"]:
            self.queue[key] = None
            return
        if decision.status is not None and decision.status != toy.job.get("status"):
            toy._store_status(decision.status)
            self.current = key  # its own write does not wake it
            self._changed(key)
            self.deliver(key)
            self.current = None
        toy._perform(decision.cleanup)
        toy.admit()
        toy.notes.extend(decision.notes)
        if decision.first or decision.cleanup or decision.requeue_after == 0.0:
            self.queue[key] = None

    def crash(self, key: Key) -> None:
        """The process ends after it has created what it decided to create, and before it has written the status."""
        if key in self.unwritten:
            self.write(key)
        self.decide_only(key)
        self.write(key, status=False)
        self.restart()

    def drain(self) -> None:
        for key in tuple(self.unwritten):
            self.write(key)
        for key in tuple(self.late):
            self.deliver(key)
        self.reconcile_all()

    # -- what others do -------------------------------------------------------------------------------------------------
    def _changed(self, key: Key) -> None:
        """The stored Job has a new version, which the cache does not have yet."""
        self.version += 1
        toy = self.toys[key]
        toy.job = {**toy.job, "metadata": {**toy.job["metadata"], "resourceVersion": str(self.version)}}
        self.late[key] = toy.job["metadata"]["uid"]

    def deliver(self, key: Key) -> None:
        """The watch delivers what has happened to a Job."""
        uid, toy, known = self.late.pop(key, ""), self.toys.get(key), self.jobs.get(*key)
        if toy is not None:
            self.jobs.assume(copy.deepcopy(toy.job))
        elif uid and known is not None:
            self.jobs.assume_deleted(key.namespace, key.name, known["metadata"]["uid"])

    def create(self, key: Key, labels: dict[str, str] | None = None, **spec: Any) -> None:
        metadata = {
            "namespace": key.namespace,
            "uid": f"uid-{self.version}",
            "creationTimestamp": rfc3339(NOW + len(self.toys) // 2),
            "labels": labels or {},
        }
        self.toys[key] = Toy(job(task(replicas=1), name=key.name, metadata=metadata, **spec))
        self._changed(key)

    def suspend(self, key: Key, value: bool) -> None:
        toy = self.toys[key]
        metadata = {**toy.job["metadata"], "generation": toy.job["metadata"]["generation"] + 1}
        toy.job = {**toy.job, "metadata": metadata, "spec": {**toy.job["spec"], "suspend": value}}
        self._changed(key)

    def order(self, key: Key, action: str) -> None:
        toy = self.toys[key]
        toy.order(action, toy.job["metadata"]["uid"])
        self.queue[key] = None

    def pods(self, key: Key, event: str) -> None:
        """Something happens to the pods: they `run`, `succeed`, `fail`, or those that are being deleted `vanish`."""
        toy = self.toys[key]
        alive = [name for name, phase in toy.shown.items() if phase in ("Pending", "Running")]
        if event == "vanish":
            toy.vanish()
        elif alive:
            getattr(toy, event)(*alive)
        self.queue[key] = None

    def delete(self, key: Key) -> None:
        self.late[key] = self.toys.pop(key).job["metadata"]["uid"]

    def delete_in_foreground(self, key: Key) -> None:
        toy = self.toys[key]
        toy.job = {**toy.job, "metadata": {**toy.job["metadata"], "deletionTimestamp": rfc3339(self.now)}}
        self._changed(key)

    def limit(self, name: str, most: int) -> None:
        """Change the limit of a policy, or create it again."""
        self.version += 1
        body = copy.deepcopy(self.policies.get(name) or quota(most, name))
        if name not in self.policies:
            body["metadata"]["uid"] = f"{name}-{self.version}"
        body["metadata"] |= {"generation": self.version, "resourceVersion": str(self.version)}
        body["spec"]["limits"]["maxActiveJobs"] = most
        self.policies[name] = body
        self.book.policies.assume(copy.deepcopy(body))

    def remove_policy(self, name: str) -> None:
        self.book.policies.assume_deleted("", name, self.policies.pop(name)["metadata"]["uid"])

    # -- what is asked ------------------------------------------------------------------------------------------------
    def group(self, policy: Body, key: Key) -> str:
        per = policy["spec"]["limits"].get("countPer") or {}
        if "objectLabel" in per:
            return str(self.toys[key].job["metadata"]["labels"].get(per["objectLabel"], ""))
        return TEAMS[key.namespace] if per else key.namespace

    def has_pods(self, key: Key) -> bool:
        toy = self.toys[key]
        unfinished = any(phase not in ("Succeeded", "Failed") for phase in toy.shown.values())
        return "deletionTimestamp" not in toy.job["metadata"] and unfinished

    def with_standing(self, standing: Standing) -> list[Key]:
        return [key for key, toy in self.toys.items() if job_standing(toy.job) is standing]

    def counted(self, policy: Body, keys: Iterable[Key]) -> dict[str, int]:
        found: dict[str, int] = {}
        for key in keys:
            found[self.group(policy, key)] = found.get(self.group(policy, key), 0) + 1
        return found

    def is_idle(self) -> bool:
        """Whether no Job runs, or may have been let in."""
        return not self.unwritten and all(job_standing(toy.job) is Standing.IDLE for toy in self.toys.values())
