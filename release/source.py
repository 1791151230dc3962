"""What a release is built from: the files of one commit, and its time."""

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path


class SourceError(RuntimeError):
    """The repository does not give a commit."""


@dataclass(frozen=True)
class Commit:
    """`time`: in seconds since 1970, of all files of the release."""

    revision: str
    time: int


def check_out(repository: Path, commit: str, stage: Path) -> Commit:
    """Put the files of a commit into the folder `stage`; what is not committed stays out. Raises SourceError."""
    revision, time = _git(repository, "log", "-1", "--format=%H %ct", commit).decode().split()
    with tarfile.open(fileobj=io.BytesIO(_git(repository, "archive", "--format=tar", revision))) as archive:
        unpack(archive, stage)
    return Commit(revision, int(time))


def unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Unpack with the filter for data, which Python 3.11.0 to 3.11.3 do not have."""
    if hasattr(tarfile, "data_filter"):
        archive.extraction_filter = tarfile.data_filter
    archive.extractall(folder)


def uncommitted(repository: Path) -> list[str]:
    """Files that differ from the last commit."""
    return [line[3:] for line in _git(repository, "status", "--porcelain").decode().splitlines()]


def _git(repository: Path, *arguments: str) -> bytes:
    ran = subprocess.run(["git", *arguments], cwd=repository, capture_output=True, check=False)
    if ran.returncode:
        raise SourceError(f"git {arguments[0]}: {ran.stderr.decode().strip()}")
    return ran.stdout
