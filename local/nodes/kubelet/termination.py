"""Termination messages, limited as a kubelet limits them. Pure.

A kubelet reads the last 4096 bytes of the file. All containers of a pod share 12 KiB, so with more than three of them
each message is cut once more, to its first bytes. With FallbackToLogsOnError the end of the log of a failed container
stands in for an empty message.
"""

from typing import Final

from shared.model.types import Body

FILE_BYTES: Final = 4096
POD_BYTES: Final = 12 * 1024
LOG_BYTES: Final = 2048
LOG_LINES: Final = 80


def message(pod: Body, container: Body, code: int, written: bytes, log: bytes) -> str:
    """The message in the container's status, from its message file and its log."""
    raw = written[-FILE_BYTES:]
    if not raw and code and container.get("terminationMessagePolicy") == "FallbackToLogsOnError":
        raw = _end_of_log(log)
    return raw[: POD_BYTES // _containers(pod)].decode(errors="replace")


def _end_of_log(log: bytes) -> bytes:
    return b"".join(log.splitlines(keepends=True)[-LOG_LINES:])[-LOG_BYTES:]


def _containers(pod: Body) -> int:
    spec = pod["spec"]
    return sum(len(spec.get(field) or ()) for field in ("containers", "initContainers", "ephemeralContainers"))
