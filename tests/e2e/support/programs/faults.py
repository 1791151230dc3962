"""What the programs of framework tests share: each checks its own container and exits with 1 if something is wrong.

They stand for training programs, so they use nothing of this project: only what a container sees.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(os.environ["JOBFLOW_ROOT"])  # the container's file system on the local cluster


def hosts(task: str) -> list[str]:
    """The task's pods by the file that svc mounts, which must say the same as its variable."""
    in_file = (ROOT / f"etc/volcano/{task}.host").read_text().split()
    in_variable = os.environ[f"VC_{task.upper()}_HOSTS"].split(",")
    if in_file != in_variable:
        sys.exit(f"{task}.host says {in_file}, VC_{task.upper()}_HOSTS {in_variable}")
    if os.environ[f"VC_{task.upper()}_NUM"] != str(len(in_file)):
        sys.exit(f"VC_{task.upper()}_NUM is {os.environ[f'VC_{task.upper()}_NUM']}, there are {in_file}")
    return in_file


def end(found: Iterator[str]) -> None:
    """Print what is wrong, and exit with 1 if anything is."""
    faults = list(found)
    print("\n".join(faults) or "all is well", flush=True)
    sys.exit(1 if faults else 0)
