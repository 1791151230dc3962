"""A simulated cluster for admission: API objects, a scheduler that binds to any node with room, simulated time."""

import random
from collections.abc import Sequence
from itertools import count
from typing import Any, Final

import jsonpatch
import msgspec

from controller.decision import Create, Decision
from controller.gang.admission import GateAdmission
from controller.gang.backends.gate import GateBackend
from controller.gang.cache.cache import GangCache
from controller.gang.cycle.scheduling_cycle import CycleResult
from controller.gang.podgroup.decide import GroupSnapshot, decide, wanted_status
from controller.gang.podgroup.ungate import ungate_patch
from controller.gang.settings import AdmissionSettings
from shared import names
from shared.key import Key
from shared.kinds import POD, PODGROUP
from shared.model.types import Body
from shared.timestamp import rfc3339
from tests.controller.gang.scheduler import bind_where_it_fits
from tests.purity import pure

NOW: Final = 1_767_322_800.0
NAMESPACE: Final = "ns"


def node(name: str, cpu: str = "4", *, taints: Sequence[Body] = (), labels: Body | None = None, **more: str) -> Body:
    allocatable = {"cpu": cpu, "memory": "64Gi", "pods": "110", **more}
    spec = {"taints": list(taints)} if taints else {}
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": spec, "status": {"allocatable": allocatable}}


def queue(name: str, **spec: Any) -> Body:
    return {"metadata": {"name": name}, "spec": spec}


def template(cpu: str = "1", **spec: Any) -> Body:
    container = {"name": "main", "image": "busybox", "resources": {"requests": {"cpu": cpu}}}
    return {"spec": {"containers": [container], **spec}}


class GangCluster:
    """What the API server stores, and the controller's view of it."""

    def __init__(self, settings: AdmissionSettings | None = None, seed: int = 0) -> None:
        self.now = NOW
        self.gang = GateAdmission(settings or AdmissionSettings(), lambda: self.now)
        self.backend = GateBackend("default-scheduler")
        self.random = random.Random(seed)
        self.nodes: dict[str, Body] = {}
        self.pods: dict[str, Body] = {}
        self.groups: dict[str, Body] = {}
        self.admitted: list[str] = []
        self._numbers = count(1)

    @property
    def cache(self) -> GangCache:
        return self.gang.cache

    # --- objects ------------------------------------------------------------------------------------------------------

    def node(self, name: str, cpu: str = "4", **more: Any) -> None:
        self.nodes[name] = node(name, cpu, **more)
        self.cache.update_node(None, self.nodes[name])

    def queue(self, name: str, **spec: Any) -> None:
        self.cache.update_queue(None, queue(name, **spec))

    def priority_class(self, name: str, value: int) -> None:
        self.cache.update_priority_class(None, {"metadata": {"name": name}, "value": value})

    def submit(
        self, name: str, *tasks: tuple[Body, int], minimum: int | None = None, queue: str = "default", **spec: Any
    ) -> None:
        """A Job's group and its pods, as the Job controller makes them. `tasks`: template and replicas."""
        total = sum(replicas for _, replicas in tasks)
        body = {
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"minMember": total if minimum is None else minimum, "queue": queue, **spec},
        }
        pods = [
            self.new_pod(name, f"t{number}", index, pod, queue)
            for number, (pod, replicas) in enumerate(tasks)
            for index in range(replicas)
        ]
        self._create((Create(PODGROUP, self.backend.group_body(body)),), pods)

    def pod(self, group: str, task: str, index: int, pod: Body, version: str = "") -> None:
        """One more pod of a group that exists."""
        made = self.new_pod(group, task, index, pod, self.groups[group]["spec"]["queue"])
        if version:
            made["metadata"]["annotations"][names.JOB_VERSION] = version
        self._create((), [made])

    def _create(self, first: tuple[Create, ...], pods: Sequence[Body]) -> None:
        decision = Decision(first=first, actions=tuple(Create(POD, pod) for pod in pods))
        decision = self.gang.admit_new(decision, NAMESPACE, {})
        for action in (*decision.first, *decision.actions):
            assert isinstance(action, Create)
            if action.kind is PODGROUP:
                if action.body["status"]["phase"] == "Inqueue":
                    self.admitted.append(action.body["metadata"]["name"])
                self._put_group(action.body)
            else:
                metadata = {**action.body["metadata"], "uid": f"u{next(self._numbers)}"}
                self.put_pod({**action.body, "metadata": metadata, "status": {"phase": "Pending"}})

    def new_pod(self, group: str, task: str, index: int, pod: Body, queue: str) -> Body:
        annotations = {
            names.GROUP_NAME: group,
            names.TASK_SPEC: task,
            names.TASK_INDEX: str(index),
            names.QUEUE_NAME: queue,
        }
        metadata = {
            "name": f"{group}-{task}-{index}",
            "namespace": NAMESPACE,
            "labels": (pod.get("metadata") or {}).get("labels") or {},
            "annotations": annotations,
            "ownerReferences": [{"controller": True}],
        }
        return self.backend.shape_pod({"metadata": metadata, "spec": dict(pod["spec"])}, group)

    def foreign(self, name: str, on: str, cpu: str) -> None:
        """A pod without a PodGroup."""
        spec = {**template(cpu)["spec"], "nodeName": on}
        self.put_pod(
            {
                "metadata": {"name": name, "namespace": NAMESPACE, "uid": name},
                "spec": spec,
                "status": {"phase": "Running"},
            }
        )

    def change(self, group: str, **spec: Any) -> None:
        body = self.groups[group]
        self._put_group({**body, "spec": {**body["spec"], **spec}})

    def end(self, group: str) -> None:
        """All its pods and the group are gone."""
        for uid in [uid for uid, pod in self.pods.items() if _group(pod) == group]:
            self.cache.update_pod(self.pods.pop(uid), None)
        self.cache.update_group(self.groups.pop(group), None)

    def finish(self, group: str, how: str = "Succeeded") -> None:
        """Its bound pods end."""
        for pod in list(self.pods.values()):
            if _group(pod) == group and pod["spec"].get("nodeName"):
                self.put_pod({**pod, "status": {"phase": how}})

    # --- the controller --------------------------------------------------------------------------------------------

    def round(self) -> CycleResult:
        """One admission round, and the writes that follow from it."""
        result = self.gang.run_cycle()
        self.admitted += [key.name for key in result.admitted]
        for key, ungating in list(self.cache.ungating.items()):
            self.settle(key.name)
            for uid, each in list(ungating.items()):
                operations = ungate_patch(each, self.pods[uid]).patch
                self.put_pod(jsonpatch.apply_patch(self.pods[uid], operations))
        return result

    def settle(self, name: str) -> Body:
        """The group's status as it would be written now."""
        group = self.cache.groups[Key(NAMESPACE, name)]
        ungating = tuple((each, {}) for each in self.cache.ungating.get(group.key, {}).values())
        why = self.gang.memory.inadmissible.get(group.key)
        seen = GroupSnapshot(
            group,
            self.cache.counts(group.key),
            self.cache.pods_of(group),
            why,
            ungating,
            beyond=self.gang.memory.beyond.get(group.key),
        )
        wanted = wanted_status(seen, self.now)
        pure(decide)(msgspec.structs.replace(seen, ungating=()), wanted, 0.0, self.now)
        body = {**self.groups[name], "status": wanted}
        self._put_group(body)
        return dict(body["status"])

    # --- the scheduler ------------------------------------------------------------------------------------------------

    def bind(self) -> None:
        """After an admission round, bind every pod that may go and that fits somewhere: in any order, anywhere it fits."""
        self.round()
        for pod in bind_where_it_fits(self.pods.values(), self.nodes, self.random):
            self.put_pod(pod)

    # --- looking ------------------------------------------------------------------------------------------------------

    def bound(self, group: str) -> int:
        return sum(_group(pod) == group and bool(pod["spec"].get("nodeName")) for pod in self.pods.values())

    def gated(self, group: str) -> int:
        return sum(_group(pod) == group and bool(pod["spec"].get("schedulingGates")) for pod in self.pods.values())

    def why(self, group: str) -> str:
        why = self.gang.memory.inadmissible.get(Key(NAMESPACE, group))
        return why.message if why else ""

    def put_pod(self, pod: Body) -> None:
        uid = pod["metadata"]["uid"]
        self.cache.update_pod(self.pods.get(uid), pod)
        self.pods[uid] = pod

    def _put_group(self, body: Body) -> None:
        name = body["metadata"]["name"]
        before = self.groups.get(name)
        metadata = {"uid": f"g-{name}", "creationTimestamp": rfc3339(self.now), **body["metadata"]}
        self.groups[name] = {**body, "metadata": metadata}
        self.cache.update_group(before, self.groups[name])


def _group(pod: Body) -> str:
    return str((pod["metadata"].get("annotations") or {}).get(names.GROUP_NAME, ""))


def with_nodes(*cpus: str, settings: AdmissionSettings | None = None) -> GangCluster:
    made = GangCluster(settings)
    for number, cpu in enumerate(cpus):
        made.node(f"n{number}", cpu)
    return made


def running(made: GangCluster, name: str, count: int, queue: str, **spec: str) -> None:
    made.now += 1
    made.submit(name, (template(), count), queue=queue, **spec)
    made.round()
    made.bind()
    assert made.bound(name) == count
