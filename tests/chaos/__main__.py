"""`python -m tests.chaos --runs N [--seed S]`: N seeded runs on one cluster; status 1 if any of them went wrong."""

import argparse
import sys
import time

from tests.chaos import report, verdicts
from tests.chaos.plan import draw
from tests.chaos.runner import Result, run
from tests.chaos.witness import Witness
from tests.chaos.world import World


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="how many seeds (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the first of them (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=0.0, help="start no run after so long; 0: no such bound")
    parser.add_argument("--logs", action="store_true", help="print the controllers' last words after a violation")
    return parser.parse_args()


def batch(seeds: list[int], results: list[Result], ends: float, logs: bool) -> int:
    """Runs on one cluster until one goes wrong, for it may have left anything behind. Processes started again."""
    with World() as world, Witness(world.kubeconfig) as witness:
        while seeds and time.monotonic() < ends:
            results.append(run(world, witness, draw(seeds.pop(0))))
            print(report.line(len(results), results[-1]), flush=True)
            if results[-1].complaints:
                if logs:
                    print(results[-1].words, flush=True)
                break
        return world.restarts


def main() -> int:
    given = arguments()
    began = time.monotonic()
    ends = began + given.minutes * 60 if given.minutes else float("inf")
    seeds = list(range(given.seed, given.seed + given.runs))
    results: list[Result] = []
    restarts = 0
    while seeds and time.monotonic() < ends:
        restarts += batch(seeds, results, ends, given.logs)
    grown = verdicts.flat([result.samples for result in results])
    print(report.summary(results, grown, time.monotonic() - began, restarts))
    return 1 if grown or any(result.complaints for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
