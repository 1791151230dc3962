"""How long processes that could run waited for a CPU: on a loaded machine they are late without a fault of their own."""

import contextlib
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.e2e.support.background import BackgroundThread

_EVERY: Final = 0.2  # seconds
_NANOSECONDS: Final = 1e9
_OWN_THREAD: Final = "thread-self"

Sample = tuple[float, Mapping[str, float]]
"""When it was taken (monotonic clock), and for how long each process had waited until then, in seconds."""


def longest_wait(samples: Sequence[Sample], begin: float, end: float) -> float:
    """The longest time, in seconds, that one process waited for a CPU from `begin` to `end` (monotonic clock).

    `samples`: in the order of time. A process without a sample before and after counts from its first to its last.
    """
    times = [at for at, _ in samples]
    inside = samples[max(bisect_right(times, begin) - 1, 0) : bisect_left(times, end) + 1]
    waited: dict[str, list[float]] = {}
    for _, totals in inside:
        for process, total in totals.items():
            waited.setdefault(process, []).append(total)
    return max((totals[-1] - totals[0] for totals in waited.values()), default=0.0)


class CpuWaitRecorder(BackgroundThread):
    """`samples`: of the processes that `pids` returns, and of the thread itself, for the recorders' process."""

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        super().__init__()
        self._pids = pids
        self.samples: list[Sample] = []

    def _run(self) -> None:
        while not self._stop.wait(_EVERY):
            totals: dict[str, float] = {}
            for process in (_OWN_THREAD, *map(str, self._pids())):
                with contextlib.suppress(OSError):  # it has just ended
                    totals[process] = _waited(process)
            self.samples.append((time.monotonic(), totals))


def _waited(process: str) -> float:
    """Seconds that the main thread of a process has been on a run queue without running."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[1]) / _NANOSECONDS
