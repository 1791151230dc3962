"""The controller's own composition root with short leases, a clock that jumps, and a count of its tasks.

`python -m tests.chaos.controller --clock-file FILE ...`: FILE holds the seconds that its wall clock is wrong by.
"""

import argparse
import asyncio
import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Final

from prometheus_client import Gauge

from controller import main
from controller.cluster.lease import Lease
from shared.kube.cache import reflector

LEASE_SECONDS: Final = 4.0
RENEW_SECONDS: Final = 3.0
RETRY_SECONDS: Final = 0.4
PAGE: Final = 4  # objects: so that lists have pages, which can expire
TASKS: Final = "chaos_asyncio_tasks"


def wrong_clock(file: Path) -> Callable[[], float]:
    """Epoch seconds, wrong by what the file says; right without a file."""

    def now() -> float:
        try:
            return time.time() + float(file.read_text())
        except (OSError, ValueError):
            return time.time()

    return now


def run(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--clock-file", type=Path, required=True)
    mine, theirs = parser.parse_known_args(argv)
    short = functools.partial(
        Lease, lease_seconds=LEASE_SECONDS, renew_seconds=RENEW_SECONDS, retry_seconds=RETRY_SECONDS
    )
    vars(reflector).update(PAGE=PAGE)
    vars(main).update(Lease=short, time=SimpleNamespace(time=wrong_clock(mine.clock_file)))
    Gauge(TASKS, "Tasks of the event loop.").set_function(lambda: len(asyncio.all_tasks()))
    return main.main(theirs)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
