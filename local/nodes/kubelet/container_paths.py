"""Paths of a container in a command line that runs as a process of this machine. Pure.

Such a process has no file system of its own. Its mount paths and its termination message are files below a folder, so
paths in its arguments are replaced by theirs. Paths that the program computes by itself are not; it finds the folder in
the variable JOBFLOW_ROOT and the message file in TERMINATION_LOG.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_BEFORE = r"(?<![\w./$})-])"
_AFTER = r"(?=$|[^\w.-]|\.(?:\s|$))"


def relocate(argv: Sequence[str], paths: Iterable[str], root: Path) -> list[str]:
    """`argv` with each of `paths`, and all below it, moved below `root`."""
    known = sorted({path.rstrip("/") for path in paths} - {""}, key=len, reverse=True)
    if not known:
        return list(argv)
    pattern = re.compile(_BEFORE + "(" + "|".join(map(re.escape, known)) + ")" + _AFTER)
    return [pattern.sub(lambda found: f"{root}{found[1]}", word) for word in argv]
