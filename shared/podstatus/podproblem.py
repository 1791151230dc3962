"""Why a pod does not run or has failed, as a reason and a message, derived from the pod object.

The controller puts it into the Job's status, the command line shows it beside the pod and in place of missing logs.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from shared.naming import shortened
from shared.timestamp import epoch_or_none

_STARTING: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
_CRASH_LOOP: Final = "CrashLoopBackOff"
_PLAIN: Final = frozenset({"", "Error", "Completed"})  # reasons that say no more than the exit code
RESTARTED: Final = "ContainerRestarted"
UNSCHEDULABLE: Final = "Unschedulable"
NODE_NOT_READY: Final = "NodeNotReady"
NODE_NOT_FOUND: Final = "NodeNotFound"
_TOLERATED: Final = "the pod is deleted when its toleration of that is over"
_COLLECTED: Final = "Kubernetes deletes the pod within about a minute (event PodEvicted), nothing replaces it before"
MAX_WORDS: Final = 240  # characters of a message of the kubelet, the scheduler or a container

_KINDS: Final = {
    "ErrImagePull": "ImagePull",
    "ImagePullBackOff": "ImagePull",
    "ErrImageNeverPull": "ImagePull",
    "InvalidImageName": "ImagePull",
    _CRASH_LOOP: "Restarts",
    RESTARTED: "Restarts",
}


class PodProblem(msgspec.Struct, frozen=True):
    """`reason`: the word that Kubernetes uses, such as ErrImagePull, or ContainerRestarted; `message`: a sentence."""

    reason: str
    message: str

    @property
    def kind(self) -> str:
        """One name for reasons that alternate while the cause stays, such as ErrImagePull and ImagePullBackOff."""
        return _KINDS.get(self.reason, self.reason)

    def __str__(self) -> str:
        if self.message and self.reason in _PLAIN:
            return self.message
        return f"{self.reason}: {self.message}" if self.message else self.reason


def pod_problem(pod: Mapping[str, Any]) -> PodProblem | None:
    """The problem of a raw pod, or None while it starts, runs undisturbed, or has succeeded."""
    status = pod.get("status") or {}
    phase = status.get("phase") or "Pending"
    if phase == "Failed":
        return _failure(status)
    if phase not in ("Pending", "Running"):
        return None
    found = [problem for each in _containers(status) if (problem := _of_container(each)) is not None]
    worst = next((problem for problem in found if problem.reason != RESTARTED), None)
    node = (pod.get("spec") or {}).get("nodeName")
    if worst is None and node and phase == "Running" and _is_node_lost(status):
        return PodProblem(NODE_NOT_READY, f"node {node} does not report; {_TOLERATED}")
    if found:
        return worst or found[0]
    return None if node else _unscheduled(status)


def node_not_found(node: str) -> PodProblem:
    """The problem of a pod that is bound to a node that no longer exists, which the pod itself does not show."""
    return PodProblem(NODE_NOT_FOUND, f"node {node} no longer exists; {_COLLECTED}")


def starting_since(pod: Mapping[str, Any]) -> float | None:
    """When a raw pod was bound to its node (epoch seconds), while no container has run and nothing says why."""
    status = pod.get("status") or {}
    if (status.get("phase") or "Pending") != "Pending" or not (pod.get("spec") or {}).get("nodeName"):
        return None
    if pod_problem(pod) is not None or any("running" in (each.get("state") or {}) for each in _containers(status)):
        return None
    return next((epoch_or_none(each.get("lastTransitionTime")) for each in _scheduled(status)), None)


def _is_node_lost(status: Mapping[str, Any]) -> bool:
    """Whether the node controller has marked the pod because its node does not report. A kubelet that says not ready
    gives a reason, and the containers are not ready either."""
    by_type = {each.get("type"): each for each in status.get("conditions") or ()}
    ready, containers = by_type.get("Ready", {}), by_type.get("ContainersReady", {})
    return ready.get("status") == "False" and not ready.get("reason") and containers.get("status") == "True"


def _scheduled(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "True":
            yield condition


def _containers(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from status.get("initContainerStatuses") or ()
    yield from status.get("containerStatuses") or ()


def _of_container(status: Mapping[str, Any]) -> PodProblem | None:
    state = status.get("state") or {}
    waiting = state.get("waiting") or {}
    reason, name = waiting.get("reason") or "", _name(status)
    if reason and reason not in _STARTING and reason != _CRASH_LOOP:
        return PodProblem(reason, f"{name}: {_words(waiting.get('message'))}".rstrip(": "))
    restarts = status.get("restartCount") or 0
    if reason != _CRASH_LOOP and not restarts:
        return None
    ended = (status.get("lastState") or {}).get("terminated") or state.get("terminated") or {}
    times = "once" if restarts == 1 else f"{restarts} times"
    last = f", last exit code {_exit(ended)}" if ended else ""
    return PodProblem(reason if reason == _CRASH_LOOP else RESTARTED, f"{name} restarted {times}{last}")


def _failure(status: Mapping[str, Any]) -> PodProblem:
    """Of a failed pod: the kubelet's reason, as for an eviction, or how the first container that failed has ended."""
    if status.get("reason"):
        return PodProblem(str(status["reason"]), _words(status.get("message")))
    for each in _containers(status):
        ended = (each.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode") or ended.get("signal"):
            return PodProblem(str(ended.get("reason") or "Error"), f"{_name(each)}: exit code {_exit(ended)}")
    return PodProblem("Failed", _words(status.get("message")))


def _name(status: Mapping[str, Any]) -> str:
    return f"container {status['name']}" if status.get("name") else "a container"


def _exit(ended: Mapping[str, Any]) -> str:
    """`137 (OOMKilled): what the container wrote as its termination message`."""
    reason, message = ended.get("reason") or "", _words(ended.get("message"))
    return (
        f"{ended.get('exitCode', '?')}{'' if reason in _PLAIN else f' ({reason})'}{f': {message}' if message else ''}"
    )


def _unscheduled(status: Mapping[str, Any]) -> PodProblem | None:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            reason = condition.get("reason") or ""
            return None if reason in ("", "SchedulingGated") else PodProblem(reason, _words(condition.get("message")))
    return None


def _words(text: object) -> str:
    return shortened(" ".join(str(text or "").split()), MAX_WORDS)
