"""When the status of each flow first showed that a Job had ended."""

from collections import defaultdict
from pathlib import Path
from typing import Final

from shared.kinds import JOBFLOW
from shared.model.types import Body
from tests.chaos.recording.stream import StreamRecorder

_LISTS: Final = ("completedJobs", "failedJobs", "terminatedJobs")


class StatusRecorder(StreamRecorder):
    """`shown`: by namespace, the moment at which each ended Job was first listed, by its name."""

    def __init__(self, kubeconfig: Path) -> None:
        super().__init__(kubeconfig, JOBFLOW)
        self.shown: dict[str, dict[str, float]] = defaultdict(dict)

    def forget(self, namespace: str) -> None:
        self.shown.pop(namespace, None)

    def note(self, body: Body, at: float, *, deleted: bool = False) -> None:
        status = body.get("status") or {}
        for field in _LISTS:
            for job in status.get(field) or ():
                self.shown[body["metadata"]["namespace"]].setdefault(job, at)
