"""`python -m tests.chaos --runs N [--seed S]`: N seeded runs; status 1 if any of them went wrong."""

import argparse
import sys
import time

from local.processes import exit_on_signals
from tests.chaos import report, verdicts, workers
from tests.chaos.runner import RunResult


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="how many seeds (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the first of them (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=0.0, help="start no run after so long; 0: no such bound")
    parser.add_argument("--workers", type=int, default=1, help="clusters side by side (default %(default)s)")
    parser.add_argument("--logs", action="store_true", help="print the controllers' last words after a violation")
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
            if result.complaints and given.logs:
                print(result.words, flush=True)
    finally:  # whoever interrupts it wants to know, too
        general = _general(results)
        print(report.summary(results, general, time.monotonic() - began), flush=True)
    return 1 if general or any(result.complaints for result in results) else 0


def _general(results: list[RunResult]) -> list[str]:
    done = [(each.harm, result.struck.get(each.key, 0)) for result in results for each in result.plan.harms]
    return [*verdicts.flat([result.samples for result in results]), *verdicts.harmless(done)]


if __name__ == "__main__":
    sys.exit(main())
