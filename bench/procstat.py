"""CPU time and peak memory of a process, from /proc."""

import contextlib
import os
from pathlib import Path
from typing import Final

import msgspec

_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Usage(msgspec.Struct, frozen=True):
    """`cpu`: seconds since its start, user and system; `peak`: the most resident memory, `resident`: now; MiB."""

    cpu: float
    peak: float
    resident: float


def usage(pid: int, proc: Path = Path("/proc")) -> Usage:
    """Raises FileNotFoundError when there is no such process."""
    return parse((proc / str(pid) / "stat").read_text(), (proc / str(pid) / "status").read_text())


def tree_cpu(pid: int, proc: Path = Path("/proc")) -> float:
    """CPU seconds of a process and of its running descendants; 0 for a process that has ended."""
    total = 0.0
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        total += usage(pid, proc).cpu
        for listed in (proc / str(pid) / "task").glob("*/children"):
            total += sum(tree_cpu(int(child), proc) for child in listed.read_text().split())
    return total


def parse(stat: str, status: str, ticks: int = _TICKS) -> Usage:
    """Parse the contents of /proc/PID/stat and /proc/PID/status."""
    # the command name may contain any characters; field 3 is the first after it
    fields = stat.rpartition(")")[2].split()
    sizes = dict(line.split(":", 1) for line in status.splitlines() if line.startswith("Vm"))
    return Usage((int(fields[11]) + int(fields[12])) / ticks, _mebibytes(sizes["VmHWM"]), _mebibytes(sizes["VmRSS"]))


def _mebibytes(text: str) -> float:
    return int(text.split()[0]) / 1024


def load_average() -> float:
    """The load average of the last minute, to show what else the machine did."""
    return os.getloadavg()[0]
