"""Start and stop the local cluster that runs in the background."""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from local.processes import StartError
from local.request import ClusterRequest
from local.state_folder import ClusterRecord, StateFolder

START_SECONDS: Final = 240.0
_STOP_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.1
_ENDED: Final = "was stopped before it was ready"
_LOG_SHOWN: Final = 3000


def start(folder: StateFolder, request: ClusterRequest) -> ClusterRecord:
    """The cluster once it is ready. Raises StartError with the end of its log; an interrupted start leaves nothing."""
    with folder.starting():
        return _started(folder, request)


def _started(folder: StateFolder, request: ClusterRequest) -> ClusterRecord:
    pid = _spawn(folder, request)
    try:
        for _ in _until(START_SECONDS):
            if _has_ended(pid):
                raise StartError(folder.log.read_text(errors="replace").strip()[-_LOG_SHOWN:] or _ENDED)
            if folder.pid() == pid and (record := folder.record()) is not None:
                return record
        raise StartError(f"the cluster was not ready after {START_SECONDS:.0f} s; see {folder.log}")
    except BaseException:
        _terminate(pid)
        raise


def _spawn(folder: StateFolder, request: ClusterRequest) -> int:
    """The process id of a supervisor that outlives this process."""
    command = [sys.executable, "-P", "-m", f"{__package__}.supervisor", "--dir", str(folder.path)]
    command += ["--request", json.dumps(asdict(request))]
    log = (os.POSIX_SPAWN_OPEN, 1, str(folder.log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    files = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), log, (os.POSIX_SPAWN_DUP2, 1, 2)]
    return os.posix_spawn(sys.executable, command, os.environ, file_actions=files)


def _has_ended(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG) != (0, 0)
    return True


def _terminate(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


def stop(folder: StateFolder) -> bool:
    """End the cluster, also one that is being started; False where none was running. Raises TimeoutError where even
    SIGKILL does not end it."""
    for _ in _until(_STOP_SECONDS):
        if folder.is_running() or not folder.is_starting():
            break
    if not folder.is_running():
        folder.clean()
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        sent = False
        for _ in _until(_STOP_SECONDS):
            if not folder.is_running():
                folder.clean()
                return True
            if not sent and (pid := folder.pid()) is not None:  # one that has just begun has not written it yet
                sent = True
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
    raise TimeoutError(f"process {folder.pid()} of the local cluster does not end")


def wait_ready(folder: StateFolder) -> ClusterRecord | None:
    """The cluster that another command is starting, once it is ready; None where it ends instead."""
    for _ in _until(START_SECONDS):
        if (record := folder.record()) is not None or not folder.is_running():
            return record
    return None


def _until(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(_LOOK_SECONDS)
