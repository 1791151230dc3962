"""Records the creation and every phase of all Jobs, and beside them pods and the statuses of flows."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from local.client.blocking import until
from shared.kinds import JOB
from shared.model.types import Body
from shared.names import ATTEMPT, ITERATION, STEP
from tests.chaos.recording.pod_recorder import PodRecorder
from tests.chaos.recording.status_recorder import StatusRecorder
from tests.chaos.recording.stream import StreamRecorder


@dataclass(frozen=True)
class RecordedPhase:
    """A Job was first seen in `phase` ("" for its creation). `place`: position in the order; equal for all items of a list;
    `at`: when, monotonic clock."""

    job: str
    uid: str
    phase: str
    owner: str
    step: str
    iteration: str
    attempt: str
    place: int
    at: float = 0.0


class PhaseRecorder(StreamRecorder):
    """`changes`: by namespace; `pods`, `statuses`: recorders of their own, which run with this one."""

    def __init__(self, kubeconfig: Path) -> None:
        super().__init__(kubeconfig, JOB)
        self.changes: dict[str, list[RecordedPhase]] = defaultdict(list)
        self.pods = PodRecorder(kubeconfig)
        self.statuses = StatusRecorder(kubeconfig)
        self._known: set[tuple[str, str]] = set()
        self._place = 0

    def __enter__(self) -> Self:
        self.pods.__enter__()
        self.statuses.__enter__()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (super(), self.pods, self.statuses):
            each.__exit__(kind, error, trace)

    def catch_up(self, jobs: list[Body]) -> None:
        """Wait until it has seen these Jobs in their phases."""
        wanted = {(job["metadata"]["uid"], _phase(job)) for job in jobs}
        until(lambda: wanted <= self._known, 20, lambda: f"the recorder has not seen {wanted - self._known}")

    def forget(self, namespace: str) -> None:
        self._known -= {(each.uid, each.phase) for each in self.changes.pop(namespace, [])}
        self.pods.forget(namespace)
        self.statuses.forget(namespace)

    def settled(self, at: float) -> None:
        self._place += 1

    def note(self, body: Body, at: float, *, deleted: bool = False) -> None:
        meta = body["metadata"]
        labels = meta.get("labels") or {}
        owner = next((each["name"] for each in meta.get("ownerReferences") or []), "")
        for phase in ("", _phase(body)):
            if (meta["uid"], phase) not in self._known:
                texts = (owner, labels.get(STEP, ""), labels.get(ITERATION, ""), labels.get(ATTEMPT, ""))
                change = RecordedPhase(meta["name"], meta["uid"], phase, *texts, self._place, at)
                self.changes[meta["namespace"]].append(change)
                self._known.add((meta["uid"], phase))


def _phase(job: Body) -> str:
    return str(((job.get("status") or {}).get("state") or {}).get("phase", ""))
