"""`python -m tests.chaos.fuzz --minutes 10 [--seed S]`: hostile input for the webhook; status 1 if it ever misbehaves."""

import argparse
import sys
import time

from local.cluster import ClusterOptions, LocalCluster
from tests.chaos.fuzz import connections
from tests.chaos.fuzz.batches import batch, every_bomb
from tests.chaos.fuzz.target import Target, WrongAnswer

EXAMPLES = 200
MOST_MEMORY = 320.0  # MiB; the chart allows 512


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the first batch (default %(default)s)")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    began = time.monotonic()
    ends = began + given.minutes * 60
    with LocalCluster(options=ClusterOptions(nodes=0, controller=False)) as cluster:
        target = Target(cluster)
        before = target.memory()
        found = list(every_bomb(target, ends))
        bombed = target.memory()
        print(f"bombs after {time.monotonic() - began:.0f} s: {target.figures}", flush=True)
        number = given.seed
        with connections.idle(target, 1000, tls=False), connections.slow(target, 50):
            while time.monotonic() < ends and not found[20:]:
                found += _batch(target, number)
                number += 1
        print(f"{number - given.seed} batches in {time.monotonic() - began:.0f} s: {target.figures}")
        after = target.memory()
        print(
            f"memory of the webhook: {before:.0f} MiB before, {bombed:.0f} MiB after the bombs, {after:.0f} MiB at last"
        )
        if after > MOST_MEMORY:
            found.append(f"the webhook has grown to {after:.0f} MiB")
    for each in found:
        print(f"WRONG: {each}")
    return 1 if found else 0


def _batch(target: Target, number: int) -> list[str]:
    try:
        batch(target, number, EXAMPLES)
    except WrongAnswer as error:
        return [f"batch {number}: {str(error)[:3000]}"]
    return []


if __name__ == "__main__":
    sys.exit(main())
