"""The states that the pods of a namespace went through, as the API server reports them, to prove that limits held."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from local.client.blocking import BlockingClient
from shared import names
from shared.kinds import POD
from shared.model.types import Body
from tests.e2e.support.namespace_watch import NamespaceWatch


class PodState(msgspec.Struct, frozen=True):
    """`free`: it has no scheduling gate and has not finished, so it runs or may run at any time."""

    job: str
    uid: str
    free: bool
    terminating: bool


PodStates = Mapping[str, PodState]
KEPT: Final = 20  # events
Check = Callable[[PodStates], str]


class PodRecorder(NamespaceWatch):
    """Checks every state of the pods of one namespace, in the API server's order.

    `check` gets the pods by name and returns what is wrong, or "". The first fault is kept in `fault`, with the events
    before it.
    """

    def __init__(self, kube: BlockingClient, namespace: str, check: Check) -> None:
        super().__init__(kube, POD, namespace)
        self.fault = ""
        self.seen = 0
        self._check = check
        self._pods: dict[str, PodState] = {}
        self._trail: deque[str] = deque(maxlen=KEPT)

    def _note(self, body: Body, *, deleted: bool = False) -> None:
        metadata = body["metadata"]
        if deleted:
            self._pods.pop(metadata["name"], None)
        else:
            finished = (body.get("status") or {}).get("phase") in ("Succeeded", "Failed")
            free = not body["spec"].get("schedulingGates") and not finished
            job = metadata["labels"].get(names.JOB_NAME, "")
            state = PodState(job, metadata["uid"], free, "deletionTimestamp" in metadata)
            self._pods[metadata["name"]] = state
        self.seen += 1
        self._trail.append(
            f"{'deleted ' * deleted}{metadata['name']} {self._pods.get(metadata['name'])} at {metadata['resourceVersion']}"
        )
        if not self.fault and (fault := self._check(self._pods)):
            self.fault = "\n".join((fault, *self._trail))
