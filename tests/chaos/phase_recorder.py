"""Records the creation and every phase of all Jobs in the order of the API server; no fault is injected into it."""

import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import orjson
from urllib3.exceptions import HTTPError

from local.client.blocking import BlockingClient, path, until
from local.client.rest import RestError
from shared.kinds import JOB
from shared.model.types import Body
from shared.names import ATTEMPT, ITERATION, STEP

_PAUSE: Final = 0.1


@dataclass(frozen=True)
class RecordedPhase:
    """A Job was first seen in `phase` ("" for its creation). `place`: position in the order; equal for all items of a list."""

    job: str
    uid: str
    phase: str
    owner: str
    step: str
    iteration: str
    attempt: str
    place: int


class PhaseRecorder:
    """A context manager that records in a thread. `changes`: by namespace."""

    def __init__(self, kubeconfig: Path) -> None:
        self.changes: dict[str, list[RecordedPhase]] = defaultdict(list)
        self._kube = BlockingClient(kubeconfig)
        self._known: set[tuple[str, str]] = set()
        self._place = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(20)

    def catch_up(self, jobs: list[Body]) -> None:
        """Wait until it has seen these Jobs in their phases."""
        wanted = {(job["metadata"]["uid"], _phase(job)) for job in jobs}
        until(lambda: wanted <= self._known, 20, lambda: f"the recorder has not seen {wanted - self._known}")

    def forget(self, namespace: str) -> None:
        self._known -= {(each.uid, each.phase) for each in self.changes.pop(namespace, [])}

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                version = self._listed()
                while version and not self._stop.is_set():
                    version = self._watched(version)
            except (RestError, HTTPError, OSError, orjson.JSONDecodeError):
                self._stop.wait(_PAUSE)

    def _listed(self) -> str:
        page = self._kube.request("GET", path(JOB))
        self._place += 1
        for job in page["items"]:
            self._note(job)
        return str(page["metadata"]["resourceVersion"])

    def _watched(self, version: str) -> str:
        """The resourceVersion to continue from; "" when a new list is needed."""
        for line in self._kube.stream(f"{path(JOB)}?watch=1&resourceVersion={version}&timeoutSeconds=5"):
            event = orjson.loads(line)
            if event["type"] == "ERROR":
                return ""
            version = event["object"]["metadata"]["resourceVersion"]
            self._place += 1
            self._note(event["object"])
        return version

    def _note(self, job: Body) -> None:
        meta = job["metadata"]
        labels = meta.get("labels") or {}
        owner = next((each["name"] for each in meta.get("ownerReferences") or []), "")
        for phase in ("", _phase(job)):
            if (meta["uid"], phase) not in self._known:
                texts = (owner, labels.get(STEP, ""), labels.get(ITERATION, ""), labels.get(ATTEMPT, ""))
                change = RecordedPhase(meta["name"], meta["uid"], phase, *texts, self._place)
                self.changes[meta["namespace"]].append(change)
                self._known.add((meta["uid"], phase))


def _phase(job: Body) -> str:
    return str(((job.get("status") or {}).get("state") or {}).get("phase", ""))
