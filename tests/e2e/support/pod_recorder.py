"""The states that the pods of a namespace went through, as the API server tells them: what proves that limits held."""

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import msgspec
import orjson

from local.client.blocking import BlockingClient, path
from shared import names
from shared.kinds import POD
from shared.model.types import Body


class PodState(msgspec.Struct, frozen=True):
    """`free`: it has no scheduling gate and has not finished, so it runs or may run at any time."""

    job: str
    uid: str
    free: bool
    terminating: bool


PodStates = Mapping[str, PodState]
Check = Callable[[PodStates], str]


class PodRecorder:
    """Watches the pods of one namespace in a thread and checks every state of them, in the API server's order.

    `check` gets the pods by name and returns what is wrong, or "". The first fault is kept in `fault`.
    """

    def __init__(self, kube: BlockingClient, namespace: str, check: Check) -> None:
        self.fault = ""
        self.seen = 0
        self._kube = kube
        self._path = path(POD, namespace)
        self._check = check
        self._pods: dict[str, PodState] = {}
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

    def _run(self) -> None:
        while not self._stop.is_set():
            for line in self._kube.stream(f"{self._path}?watch=1&resourceVersion={self._version}&timeoutSeconds=2"):
                event = orjson.loads(line)
                if event["type"] in ("ADDED", "MODIFIED", "DELETED"):
                    self._version = event["object"]["metadata"]["resourceVersion"]
                    self._note(event["type"], event["object"])

    def _note(self, event: str, pod: Body) -> None:
        metadata = pod["metadata"]
        if event == "DELETED":
            self._pods.pop(metadata["name"], None)
        else:
            finished = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
            free = not pod["spec"].get("schedulingGates") and not finished
            job = metadata["labels"].get(names.JOB_NAME, "")
            state = PodState(job, metadata["uid"], free, "deletionTimestamp" in metadata)
            self._pods[metadata["name"]] = state
        self.seen += 1
        self.fault = self.fault or self._check(self._pods)
