"""Which pods may run at each moment: checks limits of queues, and records how each gang was admitted."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.kinds import POD
from shared.model.types import Body
from shared.names import GANG_GATE, JOB_NAME, JOB_VERSION, QUEUE_NAME
from shared.quantity import quantity
from tests.chaos.recording.stream import StreamRecorder

LIMITS: Final = {"bounded": 2.0}
"""Capability of each limited queue, in CPUs."""
_OVER: Final = ("Succeeded", "Failed")


@dataclass(frozen=True)
class AdmittedGang:
    """The first pod of a gang that was admitted, and how many of its pods existed at that moment."""

    job: str
    version: str
    existing: int


@dataclass(frozen=True)
class _Pod:
    namespace: str
    job: str
    version: str
    queue: str
    cpu: float
    gated: bool
    over: bool


class PodRecorder(StreamRecorder):
    """`exceeded`, `let_in`: by namespace."""

    def __init__(self, kubeconfig: Path) -> None:
        super().__init__(kubeconfig, POD)
        self.exceeded: dict[str, list[str]] = defaultdict(list)
        self.admissions: dict[str, dict[tuple[str, str], AdmittedGang]] = defaultdict(dict)
        self._pods: dict[str, _Pod] = {}

    def forget(self, namespace: str) -> None:
        self.exceeded.pop(namespace, None)
        self.admissions.pop(namespace, None)

    def begins_list(self) -> None:
        self._pods.clear()

    def note(self, body: Body, at: float, *, deleted: bool = False) -> None:
        uid = body["metadata"]["uid"]
        if deleted:
            self._pods.pop(uid, None)
        else:
            self._pods[uid] = _pod(body)

    def settled(self, at: float) -> None:
        used: dict[str, float] = defaultdict(float)
        where: dict[str, str] = {}
        for pod in self._pods.values():
            if pod.gated or pod.over:
                continue
            used[pod.queue] += pod.cpu
            where[pod.queue] = pod.namespace
            gang = (pod.job, pod.version)
            if gang not in self.admissions[pod.namespace]:
                existing = sum(
                    (each.namespace, each.job, each.version) == (pod.namespace, *gang) for each in self._pods.values()
                )
                self.admissions[pod.namespace][gang] = AdmittedGang(*gang, existing)
        for queue, most in LIMITS.items():
            if used[queue] > most + 1e-6:
                self.exceeded[where[queue]].append(
                    f"queue {queue}: {used[queue]:g} CPUs let in, its capability is {most:g}"
                )


def _pod(body: Body) -> _Pod:
    meta, spec = body["metadata"], body.get("spec") or {}
    labels = meta.get("labels") or {}
    annotations = meta.get("annotations") or {}
    requests = [(each.get("resources") or {}).get("requests") or {} for each in spec.get("containers") or ()]
    return _Pod(
        meta["namespace"],
        labels.get(JOB_NAME, ""),
        labels.get(JOB_VERSION) or annotations.get(JOB_VERSION, ""),
        labels.get(QUEUE_NAME) or annotations.get(QUEUE_NAME, ""),
        sum(quantity(each.get("cpu", 0)).milli / 1000 for each in requests),
        any(gate.get("name") == GANG_GATE for gate in spec.get("schedulingGates") or ()),
        (body.get("status") or {}).get("phase") in _OVER,
    )
