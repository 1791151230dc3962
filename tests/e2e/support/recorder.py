"""The order of events as the API server tells it: what proves who waited for whom."""

import contextlib
import threading
from types import TracebackType
from typing import Self

import orjson
import urllib3

from local.client.blocking import BlockingClient, path, until
from shared.kinds import JOB
from shared.model.types import Body


class JobPhaseRecorder:
    """Watches the Jobs of one namespace in a thread; `moments` are (job, uid, phase), the phase "" for its creation.

    `relist`: when events were missed, list the Jobs and go on; their order in the gap is then unknown. The API server
    forgets earlier events when a CRD is replaced.
    """

    def __init__(self, kube: BlockingClient, namespace: str, *, relist: bool = False) -> None:
        self.moments: list[tuple[str, str, str]] = []
        self._kube = kube
        self._relist = relist
        self._path = path(JOB, namespace)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        page = self._kube.request("GET", self._path)
        self._version = str(page["metadata"]["resourceVersion"])
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(10)

    def created(self, job: str) -> int:
        """When the Job was created: its place in the order."""
        return self._place(job, "")

    def reached(self, job: str, phase: str) -> int:
        """When the Job was first seen in that phase."""
        return self._place(job, phase)

    def creations(self) -> dict[str, int]:
        """How many Jobs (uids) were ever created under each name."""
        uids: dict[str, set[str]] = {}
        for name, uid, _ in self.moments:
            uids.setdefault(name, set()).add(uid)
        return {name: len(each) for name, each in uids.items()}

    def _place(self, job: str, phase: str) -> int:
        def look() -> int | None:
            places = [at for at, moment in enumerate(self.moments, 1) if (moment[0], moment[2]) == (job, phase)]
            return places[0] if places else None

        return until(look, 10, lambda: f"no {phase or 'creation'} of {job} in {self.moments}")

    def _run(self) -> None:
        """A watch that breaks off, as when the CRD is updated (429), goes on from the last event."""
        while not self._stop.wait(0.05):
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                self._watch()

    def _watch(self) -> None:
        for line in self._kube.stream(f"{self._path}?watch=1&resourceVersion={self._version}&timeoutSeconds=2"):
            event = orjson.loads(line)
            if event["type"] == "ERROR" and self._relist and event["object"].get("code") == 410:
                self._list()
                return
            if event["type"] == "ERROR":
                raise AssertionError(f"events were missed: {event['object']}")
            if event["type"] in ("ADDED", "MODIFIED", "DELETED"):
                self._version = event["object"]["metadata"]["resourceVersion"]
                self._note(event["object"])

    def _list(self) -> None:
        page = self._kube.request("GET", self._path)
        for job in page["items"]:
            self._note(job)
        self._version = str(page["metadata"]["resourceVersion"])

    def _note(self, job: Body) -> None:
        meta, state = job["metadata"], ((job.get("status") or {}).get("state") or {}).get("phase", "")
        for phase in ("", state):
            moment = (meta["name"], meta["uid"], phase)
            if moment not in self.moments:
                self.moments.append(moment)
