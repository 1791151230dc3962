"""A simulated cluster with one Job, which carries out decisions with simulated time."""

import copy
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import msgspec

from controller.decision import Action, Create, Decision, Delete, Note, Patch, Refusal
from controller.job.decide import decide
from controller.job.model.observed import JobObservation, JobSettings, PodObservation, observe_pod, on_missing_node
from controller.job.model.plugin_objects import PLUGIN_KINDS
from shared.kinds import COMMAND, JOB, POD, PODGROUP, PVC, Kind
from shared.model.command import Command
from shared.model.job import Job
from shared.model.job_status import JobStatus
from shared.model.podgroup import PodGroup
from shared.model.queue import Queue
from shared.model.types import Body
from shared.policy.quota.places import QuotaPlace
from shared.timestamp import rfc3339
from tests.controller.job.make import KEYPAIR, NOW, UID, job
from tests.purity import pure


class Crash(Exception):
    """The controller was killed before a write."""


class Toy:
    """A cluster with one Job. `look` is one pass of the controller; the other methods change the cluster."""

    def __init__(self, body: Body, settings: JobSettings | None = None, queue: Body | None = None) -> None:
        self.job = body
        self.settings = settings or JobSettings(count_seconds=0)
        self.place: QuotaPlace | None = None
        self.queue: Body | None = queue or {"metadata": {"name": "default"}}
        self.objects: dict[tuple[Kind, str], Body] = {}
        self.now = NOW
        self.missing_nodes: set[str] = set()
        self.allowed: dict[str, dict[str, str]] = {}  # by ResourceQuotas
        self.auto_inqueue = True
        self.grace = True  # deleted pods stay terminating until `vanish`
        self.refuse: Callable[[Action], str] = lambda action: ""
        self.refusals: dict[tuple[Kind, str], Refusal] = {}
        self.notes: list[Note] = []
        self.writes: list[str] = []
        self.created: list[tuple[str, str]] = []  # (pod name, version) of every pod ever made
        self.phases: list[str] = []
        self.wrote_at: float | None = None
        self.wake: float | None = None
        self.crash_after: int | None = None  # writes until the controller is killed
        self.delayed: dict[str, Body] = {}  # pods of which the watch has delivered an older state so far
        self._uids = count(1)

    # --- the controller -------------------------------------------------------------------------------------------

    def observed(self) -> JobObservation:
        group = next(self._of(PODGROUP), None)
        return JobObservation(
            job=msgspec.convert(self.job, Job),
            body=self.job,
            now=self.now,
            pods=tuple(self._on_its_node(pod) for body in self._seen_pods() if (pod := observe_pod(body))),
            group=msgspec.convert(group, PodGroup) if group else None,
            claims=frozenset(body["metadata"]["name"] for body in self._of(PVC)),
            objects={
                f"{body['kind']}/{body['metadata']['name']}": body
                for kind in PLUGIN_KINDS.values()
                for body in self._of(kind)
            },
            keypair=KEYPAIR,
            commands=tuple(msgspec.convert(body, Command) for body in self._of(COMMAND)),
            queue=msgspec.convert(self.queue, Queue) if self.queue else None,
            refusals=dict(self.refusals),
            allowed=self.allowed,
            place=self.place,
            wrote_ago=None if self.wrote_at is None else self.now - self.wrote_at,
            settings=self.settings,
        )

    def _on_its_node(self, pod: PodObservation) -> PodObservation:
        return on_missing_node(pod) if pod.node in self.missing_nodes else pod

    def decide(self) -> Decision:
        """Decided twice on frozen arguments: the decision must be pure."""
        return pure(decide)(self.observed())

    def look(self) -> Decision:
        """One pass: decide and apply, in the executor's order."""
        for _ in range(4):
            decision = self.decide()
            if self._perform(decision.first) and self._perform(decision.actions):
                break
        else:
            raise AssertionError("refused again and again")
        if decision.status is not None and decision.status != self.job.get("status"):
            self._write("status")
            self._store_status(decision.status)
        self._perform(decision.cleanup)
        self.notes.extend(decision.notes)
        self.wake = None if decision.requeue_after is None else self.now + decision.requeue_after
        return decision

    def settle(self, most: int = 60) -> "Toy":
        """Pass after pass until nothing is written; groups are admitted on the way."""
        for _ in range(most):
            before = len(self.writes)
            self.look()
            if self.auto_inqueue:
                self.admit()
            if len(self.writes) == before and (self.wake is None or self.wake > self.now) and not self._admitted():
                return self
        raise AssertionError(f"never at rest: {self.writes[-12:]}")

    def _admitted(self) -> bool:
        """Whether a group was admitted after the last look."""
        decision = self.decide()
        return bool(decision.writes or decision.status)

    def _perform(self, actions: tuple[Action, ...]) -> bool:
        done = True
        for action in actions:
            name = action.body["metadata"]["name"] if isinstance(action, Create) else action.name
            if isinstance(action, Create) and (message := self.refuse(action)):
                before = self.refusals.get((action.kind, name))
                self.refusals[action.kind, name] = Refusal(403, message, self.now, before.count + 1 if before else 1)
                done = False
                if action.kind is POD:
                    break  # slow start: what comes after a failed batch is not tried
                continue
            self.refusals.pop((action.kind, name), None)
            self._write(f"{type(action).__name__.lower()} {action.kind.kind} {name}")
            self._carry_out(action, name)
        return done

    def _seen_pods(self) -> Iterator[Body]:
        known = {body["metadata"]["name"]: body for body in self._of(POD)}
        return iter({**known, **self.delayed}.values())

    def _carry_out(self, action: Action, name: str) -> None:
        if action.kind is POD:
            self.delayed.pop(name, None)  # own writes are visible at once
        match action:
            case Create(kind, body):
                if (kind, name) in self.objects:
                    return  # AlreadyExists with our uid counts as made
                self._store(kind, body)
            case Delete(kind, _, _, uid):
                found = self.objects.get((kind, name))
                if found and found["metadata"]["uid"] == uid:
                    self._remove(kind, found)
            case Patch(kind, _, _, patch):
                self._patch(kind, name, patch)

    def _store(self, kind: Kind, body: Body) -> None:
        metadata = {**body["metadata"], "uid": f"u{next(self._uids)}", "creationTimestamp": rfc3339(self.now)}
        stored = msgspec.json.decode(msgspec.json.encode({**body, "metadata": metadata}))  # nothing frozen in it
        self.objects[kind, metadata["name"]] = stored
        if kind is POD:
            self.created.append((metadata["name"], metadata["annotations"]["volcano.sh/job-version"]))
            self.objects[kind, metadata["name"]]["status"] = {"phase": "Pending"}

    def _remove(self, kind: Kind, body: Body) -> None:
        ended = body.get("status", {}).get("phase") in ("Succeeded", "Failed")
        if kind is POD and self.grace and not ended:
            body["metadata"].setdefault("deletionTimestamp", rfc3339(self.now + 30))
            body["metadata"]["deletionGracePeriodSeconds"] = 30
        else:
            del self.objects[kind, body["metadata"]["name"]]

    def _patch(self, kind: Kind, name: str, patch: Any) -> None:
        body = self.job if kind is JOB else self.objects[kind, name]
        if isinstance(patch, list):
            for change in patch:
                field = change["path"].split("/")[-1]
                if change["op"] == "remove":
                    del body["spec"][field]
                else:
                    body["spec"][field] = change["value"]
            return
        for field, value in patch.items():
            body[field] = {**(body.get(field) or {}), **value}

    def _store_status(self, status: Body) -> None:
        self.job = {**self.job, "status": msgspec.json.decode(msgspec.json.encode(status))}
        self.wrote_at = self.now
        if not self.phases or self.phases[-1] != self.phase:
            self.phases.append(self.phase)

    def _write(self, what: str) -> None:
        if self.crash_after is not None:
            if not self.crash_after:
                raise Crash(what)
            self.crash_after -= 1
        self.writes.append(what)

    # --- the cluster ------------------------------------------------------------------------------------------------

    def admit(self, phase: str = "Inqueue") -> "Toy":
        for group in self._of(PODGROUP):
            if group.get("status", {}).get("phase") in (None, "Pending"):
                group["status"] = {**group.get("status", {}), "phase": phase}
        return self

    def group_phase(self, phase: str) -> "Toy":
        for group in self._of(PODGROUP):
            group["status"] = {**group.get("status", {}), "phase": phase}
        return self

    def run(self, *names: str, ready: bool = True) -> "Toy":
        for name in names or tuple(self.pods):
            self._set_pod(name, "Running", {"ready": ready, "state": {"running": {}}})
        return self

    def succeed(self, *names: str) -> "Toy":
        for name in names or tuple(self.pods):
            self._set_pod(name, "Succeeded", self._terminated(0))
        return self

    def fail(self, *names: str, code: int = 1, more: tuple[int, ...] = ()) -> "Toy":
        for name in names or tuple(self.pods):
            self._set_pod(name, "Failed", self._terminated(code), *(self._terminated(other) for other in more))
        return self

    def pend(self, *names: str) -> "Toy":
        for name in names:
            self._set_pod(name, "Pending")
        return self

    def restart_containers(self, name: str, times: int) -> "Toy":
        self._set_pod(name, "Running", {"ready": True, "restartCount": times, "state": {"running": {}}})
        return self

    def evict(self, name: str, left_behind: bool = False) -> "Toy":
        """By the cluster: `lying` leaves a Failed pod behind, as the kubelet does; else it is being deleted."""
        body = self._pod(name)
        body["status"]["conditions"] = [{"type": "DisruptionTarget", "status": "True"}]
        if left_behind:
            body["status"] |= {"phase": "Failed", "reason": "Evicted"}
        else:
            body["metadata"] |= {"deletionTimestamp": rfc3339(self.now + 30), "deletionGracePeriodSeconds": 30}
        return self

    def lose(self, *names: str) -> "Toy":
        """Deleted by somebody else, and gone at once."""
        for name in names:
            del self.objects[POD, self._full(name)]
        return self

    def vanish(self) -> "Toy":
        """Every terminating pod is gone."""
        for key, body in list(self.objects.items()):
            if "deletionTimestamp" in body["metadata"]:
                del self.objects[key]
        return self

    def claim(self, name: str) -> "Toy":
        self._store(PVC, {"kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": "ns1"}})
        return self

    def order(self, action: str, uid: str = UID, **fields: str) -> "Toy":
        """A Command on the Job."""
        target = {"apiVersion": JOB.api_version, "kind": JOB.kind, "name": "demo", "uid": uid}
        name = f"demo-{action.lower()}-{next(self._uids)}"
        self._store(
            COMMAND, {"metadata": {"name": name, "namespace": "ns1"}, "action": action, "target": target, **fields}
        )
        return self

    def scale(self, *replicas: int, min_available: int | None = None) -> "Toy":
        """New replicas of the tasks in order."""
        tasks = [{**each, "replicas": number} for each, number in zip(self.job["spec"]["tasks"], replicas, strict=True)]
        spec = {**self.job["spec"], "tasks": tasks}
        if min_available is not None:
            spec["minAvailable"] = min_available
        metadata = {**self.job["metadata"], "generation": self.job["metadata"]["generation"] + 1}
        self.job = {**self.job, "spec": spec, "metadata": metadata}
        return self

    def delay(self, name: str) -> "Toy":
        """The watch delivers nothing more of this pod until `catch_up`."""
        self.delayed.setdefault(self._full(name), copy.deepcopy(self._pod(name)))
        return self

    def catch_up(self) -> "Toy":
        self.delayed.clear()
        return self

    def wait(self, seconds: float) -> "Toy":
        self.now += seconds
        return self

    # --- looking --------------------------------------------------------------------------------------------------

    @property
    def status(self) -> JobStatus:
        return msgspec.convert(self.job.get("status", {}), JobStatus)

    @property
    def phase(self) -> str:
        return str(self.job.get("status", {}).get("state", {}).get("phase", ""))

    @property
    def reason(self) -> str:
        return self.status.state.reason

    @property
    def pods(self) -> dict[str, Body]:
        """Pods by name, without the Job's own; those being deleted are marked so."""
        return {body["metadata"]["name"].removeprefix("demo-"): body for body in self._of(POD)}

    @property
    def shown(self) -> dict[str, str]:
        """Pod -> phase, or Terminating."""
        return {
            name: "Terminating" if "deletionTimestamp" in body["metadata"] else body["status"]["phase"]
            for name, body in self.pods.items()
        }

    @property
    def group(self) -> Body | None:
        return next(self._of(PODGROUP), None)

    def names(self, kind: Kind) -> list[str]:
        return sorted(body["metadata"]["name"] for body in self._of(kind))

    def text(self, reason: str) -> list[str]:
        return [note.message for note in self.notes if note.reason == reason]

    def _of(self, kind: Kind) -> Iterator[Body]:
        return iter([body for (of, _), body in self.objects.items() if of is kind])

    def _full(self, name: str) -> str:
        return name if name.startswith("demo-") else f"demo-{name}"

    def _pod(self, name: str) -> Body:
        return self.objects[POD, self._full(name)]

    def _set_pod(self, name: str, phase: str, *containers: Body) -> None:
        self._pod(name)["status"] = {"phase": phase, "containerStatuses": list(containers)}

    def _terminated(self, code: int) -> Body:
        return {"restartCount": 0, "state": {"terminated": {"exitCode": code, "finishedAt": rfc3339(self.now)}}}


def toy(*tasks: Body, **spec: Any) -> Toy:
    """A Job that has just been stored."""
    return Toy(job(*tasks, **spec))


def started(*tasks: Body, **spec: Any) -> Toy:
    """A Job whose pods all run."""
    return toy(*tasks, **spec).settle().run().settle()
