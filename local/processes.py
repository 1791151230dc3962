"""Child processes that do not outlive their parent: logged, stopped in reverse order, killed after a time-out."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_STOP_SECONDS = 10.0
_TAIL = 4000


def module_name(name: str) -> str:
    """The name for `python -m` of a module, given its name in the repository: installed, all are below `jobflow`."""
    return (__package__ or "").removesuffix("local") + name


class StartError(RuntimeError):
    """A process ended or was not ready in time; the message has the end of its log."""


class Process:
    """One child. `log` holds its standard error and, unless `stdout` is piped, its standard output."""

    def __init__(self, name: str, argv: Sequence[str], log: Path, env: Mapping[str, str], piped: bool = False) -> None:
        self.name = name
        self.argv = tuple(argv)
        self.env = dict(env)
        self.log = log
        with log.open("ab") as stream:
            self._child = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else stream,
                stderr=stream,
                env=dict(os.environ) | dict(env),
                start_new_session=True,
                preexec_fn=die_with_parent  # noqa: PLW1509 - started from the main thread only
                if sys.platform == "linux"
                else None,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self, seconds: float) -> int:
        return self._child.wait(seconds)

    def stop(self, seconds: float = _STOP_SECONDS) -> int:
        """Send SIGTERM, then SIGKILL to the process group. The exit code."""
        if self.running:
            self.signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        if self._child.stdout is not None:
            self._child.stdout.close()
        return self._child.wait()

    def first_line(self, seconds: float) -> bytes:
        """The first line of standard output (piped only), waiting for at most `seconds`. Raises StartError."""
        if self._child.stdout is None:
            raise ValueError("standard output is not piped")
        stream = self._child.stdout.fileno()
        os.set_blocking(stream, False)
        end, read = time.monotonic() + seconds, b""
        while b"\n" not in read:
            with contextlib.suppress(BlockingIOError):
                read += os.read(stream, 65536)
            if time.monotonic() > end or (not self.running and b"\n" not in read):
                raise StartError(f"{self.name} did not get ready:\n{self.tail()}")
            time.sleep(0.02)
        return read.partition(b"\n")[0]

    def tail(self, length: int = _TAIL) -> str:
        return self.log.read_text(errors="replace")[-length:]


class Processes:
    """The children of one cluster by name; a context manager that stops them all."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, Process] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()

    def __getitem__(self, name: str) -> Process:
        return self._running[name]

    def __contains__(self, name: str) -> bool:
        return name in self._running

    def pids(self) -> dict[str, int | None]:
        """The process id of each child, None for one that has ended by itself."""
        return {name: each.pid if each.running else None for name, each in self._running.items()}

    def start(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None, piped: bool = False
    ) -> Process:
        if name in self._running:
            self._running.pop(name).stop()
        made = Process(name, argv, self._logs / f"{name}.log", env or {}, piped)
        self._running[name] = made
        return made

    def restart(self, name: str) -> Process:
        """Start the process again as it was started: the same command, environment and log."""
        before = self._running[name]
        return self.start(name, before.argv, before.env)

    def stop(self, name: str) -> None:
        """Stop the process if it is running."""
        if name in self._running:
            self._running.pop(name).stop()

    def stop_all(self) -> None:
        for name in reversed(list(self._running)):
            self.stop(name)


def exit_on_signals() -> None:
    """Make SIGTERM and SIGHUP raise SystemExit, so that context managers exit as with SIGINT."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))


_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """SIGKILL for this process when the thread that started it ends (Linux)."""
    if _LIBC is not None:
        _LIBC.prctl(_DEATH_SIGNAL, signal.SIGKILL)
