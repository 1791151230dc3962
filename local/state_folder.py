"""The files of a user's local cluster, and whether one is running.

The process that runs the cluster holds a lock on the folder for as long as it lives, so that a killed process never
counts as running, even if it left files behind.
"""

import contextlib
import fcntl
import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from local.request import ClusterRequest

_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600


class StateFolderError(RuntimeError):
    """The folder cannot be used; the message says why."""


@dataclass(frozen=True)
class ClusterRecord:
    """A running cluster. `started`: Unix time; `processes`: process id by name, None once it has ended."""

    request: ClusterRequest
    kubeconfig: str
    started: float
    processes: Mapping[str, int | None]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError, KeyError or TypeError for text that is not a record."""
        fields: dict[str, Any] = json.loads(text)
        return cls(**(fields | {"request": ClusterRequest(**fields["request"])}))


@dataclass(frozen=True)
class StateFolder:
    """`kubeconfig` keeps its path from one cluster to the next, so a shell's KUBECONFIG stays valid."""

    path: Path

    @property
    def kubeconfig(self) -> Path:
        return self.path / "kubeconfig"

    @property
    def log(self) -> Path:
        """What the process that runs the cluster printed."""
        return self.path / "local.log"

    @property
    def cluster(self) -> Path:
        """Data of the cluster's processes; `logs` below it stays when the cluster ends."""
        return self.path / "cluster"

    def create(self) -> None:
        """Make the folder, readable by this user only. Raises StateFolderError."""
        try:
            self.path.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            found = self.path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
                raise StateFolderError(f"{self.path} is not a folder of this user")
            self.path.chmod(_PRIVATE_FOLDER)
        except OSError as error:
            hint = "set XDG_STATE_HOME to a folder that can be written"
            raise StateFolderError(f"{self.path}: {error.strerror or error}; {hint}") from error

    def locked(self) -> contextlib.AbstractContextManager[bool]:
        """Hold the folder for this process; False where another process holds it."""
        return self._locked("lock")

    def is_running(self) -> bool:
        """Whether a process holds the folder."""
        return self._is_locked("lock")

    def starting(self) -> contextlib.AbstractContextManager[bool]:
        """Let others see that this process starts a cluster, which does not hold the folder at once."""
        return self._locked("starting")

    def is_starting(self) -> bool:
        return self._is_locked("starting")

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[bool]:
        self.create()
        descriptor = os.open(self.path / name, os.O_RDWR | os.O_CREAT, _PRIVATE_FILE)
        try:
            yield _lock(descriptor)
        finally:
            os.close(descriptor)

    def _is_locked(self, name: str) -> bool:
        if not (self.path / name).exists():
            return False
        with self._locked(name) as free:
            return not free

    def pid(self) -> int | None:
        """The process that runs, or last ran, the cluster."""
        try:
            return int((self.path / "pid").read_text())
        except (OSError, ValueError):
            return None

    def record(self) -> ClusterRecord | None:
        """The cluster that is up; None where none is, or while it starts."""
        try:
            return ClusterRecord.parse((self.path / "cluster.json").read_text())
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def begin(self) -> None:
        """Note this process, and remove what an earlier cluster left. The caller holds the lock."""
        self.clean()
        shutil.rmtree(self.cluster, ignore_errors=True)
        self._write("pid", str(os.getpid()))

    def publish(self, record: ClusterRecord) -> None:
        self._write("cluster.json", json.dumps(asdict(record)))

    def keep_kubeconfig(self, source: Path) -> None:
        self._write(self.kubeconfig.name, source.read_text())

    def clean(self) -> None:
        """Remove all but the logs."""
        for name in ("cluster.json", "pid", self.kubeconfig.name):
            (self.path / name).unlink(missing_ok=True)
        for entry in self.cluster.iterdir() if self.cluster.is_dir() else ():
            if entry.name != "logs":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def _write(self, name: str, text: str) -> None:
        """Replace the file in one step, so that a reader sees the old or the new text."""
        made = self.path / f".{name}"
        made.unlink(missing_ok=True)
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE), "w") as stream:
            stream.write(text)
        made.replace(self.path / name)


def default_state_folder() -> StateFolder:
    """`$XDG_STATE_HOME/jobflow/local`, by default below ~/.local/state."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return StateFolder(Path(base).expanduser().absolute() / "jobflow" / "local")


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
