"""`python -m release.requirements FILE` prints the part of a lock file that can be installed on this machine.

`make install` runs it. Two packages have no wheels for every Linux and cannot be built there: without cel-expr-python
nothing runs, so that is an error; fast-sugiyama, which lays out large graphs, is left out.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

NEEDED: Final = (2, 28)
"""The glibc that the wheels of cel-expr-python are built for; there are none for musl."""
FOR_DRAWING: Final = (2, 34)
"""The glibc that the wheels of fast-sugiyama are built for."""


def glibc() -> tuple[int, int] | None:
    """The version of glibc; None where the C library of this Linux is another one."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (ValueError, OSError):
        return None
    major, _, minor = version.partition(".")
    return (int(major), int(minor.partition(".")[0])) if name == "glibc" and minor[:1].isdigit() else None


def problem(platform: str, libc: tuple[int, int] | None) -> str:
    """Why nothing can be installed on a machine with `sys.platform` and glibc as given; "" if it can."""
    needed = "cel-expr-python, which evaluates expressions, has wheels for glibc 2.28 or newer only"
    if platform != "linux" or (libc and libc >= NEEDED):
        return ""
    found = f"this Linux has glibc {libc[0]}.{libc[1]}" if libc else "the C library of this Linux is not glibc (musl?)"
    return f"{found}, but {needed}: use a newer distribution, or an image such as python:3.13-slim instead of alpine"


def installable(lock: str, platform: str, libc: tuple[int, int] | None) -> str:
    """The lock file without the packages that have no wheel for that machine and that we can do without."""
    if platform == "linux" and (libc is None or libc < FOR_DRAWING):
        return "".join(entry for entry in entries(lock) if not entry.startswith("fast-sugiyama=="))
    return lock


def entries(lock: str) -> Iterator[str]:
    """The requirements of a lock file, each with the lines of its hashes; comments are entries of their own."""
    entry = ""
    for line in lock.splitlines(keepends=True):
        entry += line
        if not line.rstrip().endswith("\\"):
            yield entry
            entry = ""
    yield from filter(None, [entry])


def main(argv: list[str]) -> int:
    libc = glibc() if sys.platform == "linux" else None
    if said := problem(sys.platform, libc):
        print(said, file=sys.stderr)
        return 1
    print(installable(Path(argv[0]).read_text(), sys.platform, libc), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
