"""Admission whose watches deliver pods, PodGroups, nodes and queues in any order: the simulation."""

import random
from collections import Counter, deque
from typing import Any, Final

import jsonpatch

from controller.decision import Create, Decision, Refusal
from controller.gang.admission import GateAdmission
from controller.gang.backends.gate import GateBackend
from controller.gang.podgroup.ungate import ungate_patch
from controller.gang.settings import AdmissionSettings
from controller.runtime.worker import PASS_SECONDS
from shared import names
from shared.kinds import POD, PODGROUP, Kind
from shared.kube.client.reader import IDLE_SECONDS
from shared.model.types import Body
from shared.timestamp import rfc3339
from tests.controller.gang.make import NAMESPACE, NOW, node, queue, template

CAPABILITY: Final = {"small": 4, "team": 6}

PARENT: Final = {"child": "team"}

QUEUES: Final = ("small", "child", "default", "default", "sure")

NODES: Final = {"n0": 4, "n1": 4}

GUARANTEE: Final = 3  # CPUs, of queue sure

KINDS: Final = ("pod", "group", "node", "queue")


class Watched:
    """What the API server stores, and what the watch of each kind has delivered of it. Own writes are seen at once."""

    def __init__(self) -> None:
        self.now = NOW
        self.stored: dict[str, dict[str, Body]] = {kind: {} for kind in KINDS}
        self.seen: dict[tuple[str, str], tuple[int, Body | None]] = {}
        self.waiting: dict[str, deque[tuple[str, int, Body | None]]] = {kind: deque() for kind in KINDS}
        self.version = 0
        self.written: dict[int, float] = {}  # version -> epoch seconds

    def write(self, kind: str, name: str, body: Body | None) -> int:
        self.version += 1
        self.written[self.version] = self.now
        if body is None:
            self.stored[kind].pop(name, None)
        else:
            self.stored[kind][name] = body
        self.waiting[kind].append((name, self.version, body))
        return self.version

    def late(self, kind: str) -> int:
        """How many changes a silent watch has withheld for so long that another watch has replaced it."""
        return sum(self.written[version] + IDLE_SECONDS <= self.now for _, version, _ in self.waiting[kind])


class Simulation:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.watched = Watched()
        self.backend = GateBackend("default-scheduler")
        self.jobs: dict[str, dict[str, Body]] = {}  # Job -> the pods that it wants
        self.creating: dict[str, deque[Body]] = {}  # creates in flight
        self.began: dict[str, float] = {}  # Job -> when its pass began, epoch seconds
        self.refusals: dict[str, dict[tuple[Kind, str], Refusal]] = {}
        self.lossy: set[str] = set()  # Jobs that have lost pods
        self.number = 0
        self.admission = self.new_process()
        for name, cpu in NODES.items():
            self.watched.write("node", name, node(name, str(cpu)))
        for name in ("team", "small"):
            self.watched.write("queue", name, queue(name, capability={"cpu": str(CAPABILITY[name])}))
        self.watched.write("queue", "child", queue("child", parent="team"))
        sure = {"guarantee": {"resource": {"cpu": str(GUARANTEE)}}, "deserved": {"cpu": str(GUARANTEE)}}
        self.watched.write("queue", "sure", queue("sure", **sure))
        for kind in ("node", "queue"):  # the controllers start when the first lists are there
            self.deliver(kind, everything=True)

    @property
    def now(self) -> float:
        return self.watched.now

    def new_process(self) -> GateAdmission:
        return GateAdmission(AdmissionSettings(reserve_after=20.0), lambda: self.now)

    # --- watches ------------------------------------------------------------------------------------------------------

    def deliver(self, kind: str, *, everything: bool = False) -> None:
        waiting = self.watched.waiting[kind]
        for _ in range(len(waiting) if everything else min(len(waiting), 1)):
            self.show(kind, *waiting.popleft())

    def wait(self, seconds: float) -> None:
        """Passes of the Job controller end in time, and silent watches are replaced."""
        self.watched.now += seconds
        for name, began in self.began.items():
            if began + PASS_SECONDS <= self.now:
                self.creating.pop(name, None)
        for kind in KINDS:
            for _ in range(self.watched.late(kind)):
                self.deliver(kind)

    def show(self, kind: str, name: str, version: int, body: Body | None) -> None:
        known, old = self.watched.seen.get((kind, name), (0, None))
        if version > known:
            self.watched.seen[kind, name] = version, body
            cache = self.admission.cache
            handlers = (cache.update_pod, cache.update_group, cache.update_node, cache.update_queue)
            if (
                old is not None
                and body is not None
                and kind == "pod"
                and old["metadata"]["uid"] != body["metadata"]["uid"]
            ):
                handlers[0](old, None)
                old = None
            if old is not None or body is not None:
                handlers[KINDS.index(kind)](old, body)

    def own_write(self, kind: str, name: str, body: Body) -> None:
        """Seen at once, unless the answer is lost: then when the watch delivers it."""
        version = self.watched.write(kind, name, body)
        if self.random.random() < 0.8:
            self.show(kind, name, version, body)

    # --- steps --------------------------------------------------------------------------------------------------------

    def submit(self) -> None:
        self.number += 1
        name = f"j{self.number}"
        replicas = self.random.choice([1, 1, 2, 3, 4])
        minimum = self.random.choice([1, replicas])
        cpu, where = self.random.choice(["500m", "1", "2", "2"]), self.random.choice(QUEUES)
        metadata = {
            "name": name,
            "namespace": NAMESPACE,
            "uid": f"g{self.number}",
            "creationTimestamp": rfc3339(self.now),
        }
        group = {"metadata": metadata, "spec": {"minMember": minimum, "queue": where}}
        self.jobs[name] = {f"{name}-{index}": self.pod(name, index, cpu, where) for index in range(replicas)}
        self.decide(name, self.backend.group_body(group))

    def pod(self, group: str, index: int, cpu: str, where: str) -> Body:
        annotations = {names.GROUP_NAME: group, names.QUEUE_NAME: where, names.TASK_INDEX: str(index)}
        metadata = {"name": f"{group}-{index}", "namespace": NAMESPACE, "annotations": annotations}
        owned = {**metadata, "ownerReferences": [{"controller": True}]}
        return self.backend.shape_pod({"metadata": owned, "spec": template(cpu)["spec"]}, group)

    def decide(self, name: str, group: Body | None = None) -> None:
        """One pass of the Job controller: the PodGroup first, then the creates of all pods that it does not see."""
        missing = [
            pod for key, pod in self.jobs[name].items() if self.watched.seen.get(("pod", key), (0, None))[1] is None
        ]
        decision = Decision(
            first=(Create(PODGROUP, group),) if group else (), actions=tuple(Create(POD, pod) for pod in missing)
        )
        decision = self.admission.admit_new(decision, NAMESPACE, self.refusals.get(name, {}))
        for action in decision.first:
            assert isinstance(action, Create)
            self.own_write("group", name, action.body)
        self.began[name] = self.now
        self.creating[name] = deque(action.body for action in decision.actions if isinstance(action, Create))

    def create(self, refused: bool = False) -> None:
        running = sorted(name for name, pods in self.creating.items() if pods)
        if not running:
            return
        name = self.random.choice(running)
        body = self.creating[name].popleft()
        key = body["metadata"]["name"]
        if refused:
            self.refusals.setdefault(name, {})[POD, key] = Refusal(403, "exceeded", self.now)
            self.creating[name].clear()  # slow start: the rest is not tried
        elif key not in self.watched.stored["pod"]:
            self.number += 1
            made = {**body, "metadata": {**body["metadata"], "uid": f"u{self.number}"}, "status": {"phase": "Pending"}}
            self.refusals.get(name, {}).pop((POD, key), None)
            self.own_write("pod", key, made)
        else:  # created by an attempt whose answer was lost
            self.show("pod", key, self.watched.version, self.watched.stored["pod"][key])

    def retry(self) -> None:
        idle = sorted(
            name for name in self.jobs if not self.creating.get(name) and name in self.watched.stored["group"]
        )
        if idle:
            self.wait(1)
            self.decide(self.random.choice(idle))

    def ungate(self) -> None:
        """One of the patches that the gang controller sends; pods are patched in any order."""
        ungating = [each for group in self.admission.cache.ungating.values() for each in group.values()]
        if ungating:
            each = self.random.choice(sorted(ungating, key=lambda one: one.pod.uid))
            stored = self.watched.stored["pod"].get(each.pod.key.name)
            if stored is not None and stored["metadata"]["uid"] == each.pod.uid and gated(stored):
                patched = jsonpatch.apply_patch(stored, ungate_patch(each, stored).patch)
                self.own_write("pod", each.pod.key.name, patched)

    def bind(self) -> None:
        """The scheduler, by what is stored: any pod, anywhere it fits."""
        pods = self.watched.stored["pod"]
        free = Counter({name: cpu * 1000 for name, cpu in NODES.items()})
        for pod in pods.values():
            if pod["spec"].get("nodeName") and pod["status"]["phase"] == "Running":
                free[pod["spec"]["nodeName"]] -= millis(pod)
        waiting = [pod for pod in pods.values() if not pod["spec"].get("nodeName") and not gated(pod)]
        for pod in self.random.sample(waiting, len(waiting)):
            fitting = [name for name in NODES if free[name] >= millis(pod) and allowed(pod, name)]
            if fitting:
                chosen = self.random.choice(fitting)
                free[chosen] -= millis(pod)
                bound = {**pod, "spec": {**pod["spec"], "nodeName": chosen}, "status": {"phase": "Running"}}
                self.watched.write("pod", pod["metadata"]["name"], bound)

    def finish(self) -> None:
        running = [pod for pod in self.watched.stored["pod"].values() if pod["status"]["phase"] == "Running"]
        if running:
            pod = self.random.choice(running)
            self.watched.write("pod", pod["metadata"]["name"], {**pod, "status": {"phase": "Succeeded"}})

    def lose(self) -> None:
        """A bound pod is evicted or deleted. Its Job stays, and creates it again."""
        running = [pod for pod in self.watched.stored["pod"].values() if pod["status"]["phase"] == "Running"]
        if running:
            metadata = self.random.choice(running)["metadata"]
            self.watched.write("pod", metadata["name"], None)
            self.lossy.add(metadata["annotations"][names.GROUP_NAME])

    def delete(self) -> None:
        """A Job that has nothing in flight is deleted with its group and pods."""
        idle = sorted(name for name in self.jobs if not self.creating.get(name))
        if idle:
            name = self.random.choice(idle)
            for key in self.jobs.pop(name):
                if key in self.watched.stored["pod"]:
                    self.watched.write("pod", key, None)
            self.watched.write("group", name, None)

    def edit(self) -> None:
        """The pods of a Job that are not stored yet are to have other requests."""
        if self.jobs:
            name = self.random.choice(sorted(self.jobs))
            cpu = self.random.choice(["500m", "1", "2", "3"])
            for index, (key, pod) in enumerate(self.jobs[name].items()):
                if key not in self.watched.stored["pod"]:
                    where = pod["metadata"]["annotations"][names.QUEUE_NAME]
                    self.jobs[name][key] = self.pod(name, index, cpu, where)

    def restart(self) -> None:
        """Another process takes over: it starts from the stored objects, listed kind by kind."""
        self.creating.clear()
        self.refusals.clear()
        self.admission = self.new_process()
        for waiting in self.watched.waiting.values():
            waiting.clear()
        self.watched.seen.clear()
        for kind in self.random.sample(KINDS, len(KINDS)):
            for name, body in self.watched.stored[kind].items():
                self.show(kind, name, self.watched.version, body)

    def step(self, name: str) -> None:
        if name.startswith("deliver"):
            self.deliver(name.removeprefix("deliver "))
        elif name == "refuse":
            self.create(refused=True)
        elif name == "cycle":
            self.admission.run_cycle()
        elif name == "time":
            self.wait(15)
        else:
            getattr(self, name)()

    # --- what must hold -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        groups, used, free = self.watched.stored["group"], Counter[str](), Counter[str]()
        exist: Counter[str] = Counter()
        for pod in self.watched.stored["pod"].values():
            annotations = pod["metadata"]["annotations"]
            exist[annotations[names.GROUP_NAME]] += 1
            if not gated(pod):
                free[annotations[names.GROUP_NAME]] += 1
                if pod["status"]["phase"] != "Succeeded":
                    where = annotations[names.QUEUE_NAME]
                    for each in (where, PARENT.get(where, ""), "all" if where != "sure" else ""):
                        used[each] += millis(pod)
        for name, limit in CAPABILITY.items():
            assert used[name] <= limit * 1000, f"queue {name} uses {used[name]}m of {limit}"
        assert used["all"] <= (sum(NODES.values()) - GUARANTEE) * 1000, f"others use {used['all']}m"
        for name, count in free.items():
            if name in groups and count and name not in self.lossy:
                assert exist[name] >= groups[name]["spec"]["minMember"], f"{name}: {count} free, {exist[name]} exist"

    def check_cache(self) -> None:
        """The cache, when it has seen all, counts what is stored, and what is about to be written."""
        for kind in KINDS:
            self.deliver(kind, everything=True)
        cache = self.admission.cache
        ungating = {uid for group in cache.ungating.values() for uid in group}
        used: Counter[str] = Counter()
        for pod in self.watched.stored["pod"].values():
            admitted = not gated(pod) or pod["metadata"]["uid"] in ungating
            if admitted and pod["status"]["phase"] != "Succeeded":
                used[pod["metadata"]["annotations"][names.QUEUE_NAME]] += millis(pod)
        for booked in cache.assumed.booked:
            used[booked.queue] += booked.assumed.requirements.amounts["cpu"]
        assert {name: amounts["cpu"] for name, amounts in cache.used().items()} == +used
        for name, cpu in NODES.items():
            bound = [pod for pod in self.watched.stored["pod"].values() if pod["spec"].get("nodeName") == name]
            left = cpu * 1000 - sum(millis(pod) for pod in bound if pod["status"]["phase"] == "Running")
            assert cache.capacity.unbound[name]["cpu"] == left


def gated(pod: Body) -> bool:
    return bool(pod["spec"].get("schedulingGates"))


def millis(pod: Body) -> int:
    amount = str(pod["spec"]["containers"][0]["resources"]["requests"]["cpu"])
    return int(amount.removesuffix("m")) if amount.endswith("m") else int(amount) * 1000


def allowed(pod: Body, name: str) -> bool:
    affinity: Any = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms")
    return terms is None or any(name in term["matchFields"][0]["values"] for term in terms)
