"""The kubelets of all simulated nodes: a PodRunner for each pod that is bound to one of them."""

import asyncio
import logging
from collections.abc import Callable

from local.nodes.kubelet.host import KubeletContext
from local.nodes.kubelet.podrunner import PodRunner
from shared.model.types import Body

_LOG = logging.getLogger("nodes")


class Kubelet:
    """`ours(name)`: whether the node of that name is simulated here."""

    def __init__(self, host: KubeletContext, ours: Callable[[str], bool]) -> None:
        self._host = host
        self._ours = ours
        self._runners: dict[str, PodRunner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def handle(self, kind: str, pod: Body) -> None:
        """Handle a watch event of any pod."""
        if not self._ours(pod["spec"].get("nodeName", "")):
            return
        uid = pod["metadata"]["uid"]
        if kind == "DELETED":
            self._drop(uid, pod)
            return
        if uid not in self._tasks and self._to_run(pod):
            self._runners[uid] = PodRunner(self._host, pod)
            self._tasks[uid] = asyncio.create_task(self._runners[uid].run())
            self._tasks[uid].add_done_callback(_tell)
        runner = self._runners.get(uid)
        if runner is None:
            return
        runner.pod = pod
        if "deletionTimestamp" in pod["metadata"]:
            runner.stop(float(pod["metadata"].get("deletionGracePeriodSeconds", 30)))

    async def close(self) -> None:
        """Kill all running containers."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def log_owner(self, namespace: str, name: str) -> str:
        """The uid of the pod of that name that runs or ran here."""
        for uid, runner in self._runners.items():
            meta = runner.pod["metadata"]
            if (meta["namespace"], meta["name"]) == (namespace, name):
                return uid
        return ""

    def runs(self, uid: str) -> bool:
        """Whether the pod has not ended yet."""
        runner = self._runners.get(uid)
        return runner is not None and not runner.finished

    def _to_run(self, pod: Body) -> bool:
        ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        return not ended or "deletionTimestamp" in pod["metadata"]

    def _drop(self, uid: str, pod: Body) -> None:
        self._runners.pop(uid, None)
        task = self._tasks.pop(uid, None)
        if task is not None:
            task.cancel()
        self._host.forget(pod)


def _tell(task: asyncio.Task[None]) -> None:
    """Log why a runner failed; its pod keeps its status."""
    if not task.cancelled() and task.exception() is not None:
        _LOG.error("a pod's runner broke", exc_info=task.exception())
