"""Runs a container's command as a local process in its own process group, with a log and a grace period."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.nodes.kubelet.termination import FILE_BYTES

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")
_CANNOT_START = 128


@dataclass(frozen=True)
class ExitResult:
    """The end of a run: exit code, content of the message file, reason ("": from the code)."""

    code: int
    message: bytes = b""
    reason: str = ""


@dataclass(frozen=True)
class LocalCommand:
    """`root`: the folder that contains the container's mount paths."""

    argv: Sequence[str]
    variables: Mapping[str, str]
    root: Path
    workdir: Path
    log: Path
    message_path: Path


async def run(command: LocalCommand, stopping: asyncio.Event, grace: "GracePeriod") -> ExitResult:
    """Run until the process ends or, when `stopping` is set, by SIGTERM and SIGKILL. Cancelling kills it."""
    command.workdir.mkdir(parents=True, exist_ok=True)
    command.message_path.parent.mkdir(parents=True, exist_ok=True)
    command.message_path.write_bytes(b"")
    with command.log.open("ab") as log:
        try:
            process = await asyncio.create_subprocess_exec(
                *command.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=command.workdir,
                env=_inherited() | dict(command.variables) | _pointers(command),
                start_new_session=True,
            )
        except OSError as error:
            return ExitResult(_CANNOT_START, f"{command.argv[0]}: {error.strerror}".encode(), "StartError")
    try:
        code = await _wait(process, stopping, grace)
    finally:
        _signal(process.pid, signal.SIGKILL)
    return ExitResult(code, _message(command.message_path))


class GracePeriod:
    """Seconds between SIGTERM and SIGKILL; a later, shorter value replaces it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


async def _wait(process: asyncio.subprocess.Process, stopping: asyncio.Event, grace: GracePeriod) -> int:
    ended = asyncio.ensure_future(process.wait())
    stopped = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((ended, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            _signal(process.pid, signal.SIGTERM)
            await asyncio.wait((ended,), timeout=grace.seconds)
        if not ended.done():
            _signal(process.pid, signal.SIGKILL)
        code = await ended
    finally:
        stopped.cancel()
        if not ended.done():
            _signal(process.pid, signal.SIGKILL)
            await ended
    return 128 - code if code < 0 else code


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def _pointers(command: LocalCommand) -> dict[str, str]:
    return {
        "JOBFLOW_ROOT": str(command.root),
        "TERMINATION_LOG": str(command.message_path),
        "HOME": str(command.root),
    }


def _message(path: Path) -> bytes:
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(file.tell() - FILE_BYTES, 0))
        return file.read(FILE_BYTES)
    return b""
