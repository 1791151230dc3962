"""`python -m tests.chaos --runs N [--seed S]`: N seeded runs; exit code 1 if any of them had violations."""

import argparse
import sys
import time

from local.processes import exit_on_signals
from tests.chaos import invariants, report, workers
from tests.chaos.runner import RunResult


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="how many seeds (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the first of them (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=0.0, help="start no run after that many minutes; 0: no limit")
    parser.add_argument("--workers", type=int, default=1, help="parallel clusters (default %(default)s)")
    parser.add_argument("--logs", action="store_true", help="print the ends of the logs after a violation")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    exit_on_signals()
    began = time.monotonic()
    ends = began + given.minutes * 60 if given.minutes else float("inf")
    seeds = range(given.seed, given.seed + given.runs)
    results: list[RunResult] = []
    try:
        for result in workers.results(seeds, given.workers, ends):
            results.append(result)
            print(report.line(len(results), result), flush=True)
            if result.violations and given.logs:
                print(result.words, flush=True)
    finally:  # an interrupted suite prints its summary, too
        general = _general(results)
        print(report.summary(results, general, time.monotonic() - began), flush=True)
    return 1 if general or any(result.violations for result in results) else 0


def _general(results: list[RunResult]) -> list[str]:
    done = [(each.fault, result.injected.get(each.key, 0)) for result in results for each in result.plan.faults]
    return [*invariants.growth([result.samples for result in results]), *invariants.ineffective_faults(done)]


if __name__ == "__main__":
    sys.exit(main())
