"""What a flow needs to know of pods: where they listen, and what ended ones left behind. Raw bodies in, values out."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from controller.jobflow.model.observed import PodResults
from shared.model.types import Body
from shared.names import TASK_INDEX, TASK_SPEC

MESSAGE_BYTES: Final = 4096
POD_MESSAGE_BYTES: Final = 12 * 1024


class PodAddress(msgspec.Struct, frozen=True):
    """A pod that a probe may ask. `ip` may be empty: not there yet."""

    name: str
    ip: str
    host_network: bool = False


def addresses(pods: Iterable[Body], task: str) -> list[PodAddress]:
    """The running pods of a task, lowest index first."""
    found = [pod for pod in pods if _task(pod) == task and "deletionTimestamp" not in pod["metadata"]]
    running = [pod for pod in found if (pod.get("status") or {}).get("phase") == "Running"]
    return [
        PodAddress(
            pod["metadata"]["name"],
            str((pod.get("status") or {}).get("podIP") or ""),
            bool((pod.get("spec") or {}).get("hostNetwork")),
        )
        for pod in sorted(running, key=_index)
    ]


def left_behind(pods: Iterable[Body]) -> PodResults:
    """Termination messages of the pods 0, and the exit code of the first pod that failed."""
    found = sorted(pods, key=_index)
    messages: dict[tuple[str, str], str] = {}
    cut: set[tuple[str, str]] = set()
    for pod in found:
        if _index(pod) == 0:
            most = _message_bytes(pod)
            for key, message in _messages(pod):
                messages[key] = message
                (cut.add if len(message.encode()) >= most else cut.discard)(key)
    failed = [pod for pod in found if (pod.get("status") or {}).get("phase") == "Failed"]
    codes = sorted((ended, code) for pod in failed for ended, code in _exit_codes(pod))
    return PodResults(messages, codes[0][1] if codes else None, frozenset(cut))


def _message_bytes(pod: Body) -> int:
    """The most that a kubelet keeps of one message: 4096 bytes, and 12 KiB of all containers of the pod together."""
    spec = pod.get("spec") or {}
    count = sum(len(spec.get(field) or ()) for field in ("containers", "initContainers", "ephemeralContainers"))
    return min(MESSAGE_BYTES, POD_MESSAGE_BYTES // max(count, 1))


def _messages(pod: Body) -> Iterator[tuple[tuple[str, str], str]]:
    task = _task(pod)
    order = [one.get("name") for one in (pod.get("spec") or {}).get("containers") or ()]
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        message = _terminated(status).get("message")
        if message is None:
            continue
        yield (task, status["name"]), message
        if order and status["name"] == order[0]:
            yield (task, ""), message


def _exit_codes(pod: Body) -> Iterator[tuple[str, int]]:
    """(when, code) of each container that ended badly."""
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        ended = _terminated(status)
        if ended.get("exitCode"):
            yield ended.get("finishedAt") or "", int(ended["exitCode"])


def _terminated(status: Body) -> Body:
    for state in (status.get("state") or {}, status.get("lastState") or {}):
        if state.get("terminated"):
            return dict(state["terminated"])
    return {}


def _task(pod: Body) -> str:
    metadata = pod["metadata"]
    for source in (metadata.get("annotations") or {}, metadata.get("labels") or {}):
        if source.get(TASK_SPEC):
            return str(source[TASK_SPEC])
    return ""


def _index(pod: Body) -> int:
    metadata = pod["metadata"]
    for source in (metadata.get("annotations") or {}, metadata.get("labels") or {}):
        text = str(source.get(TASK_INDEX) or "")
        if text.isascii() and text.isdigit():
            return int(text)
    last = str(metadata["name"]).rpartition("-")[2]
    return int(last) if last.isascii() and last.isdigit() else 0
