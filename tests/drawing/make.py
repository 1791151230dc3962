"""Builders of graphs for the tests of drawings."""

import random

from shared.model.types import Body
from tests.cli.make import status
from tests.webhook.make import flow, step


def random_flow(count: int, parents: int = 2, seed: int = 1) -> Body:
    """Each step waits for up to `parents` random earlier ones."""
    source = random.Random(seed)
    steps = [step("s0")]
    for number in range(1, count):
        steps.append(step(f"s{number}", *sorted({f"s{source.randrange(number)}" for _ in range(parents)})))
    return flow(*steps)


def chain(count: int, shortcuts: int = 0) -> Body:
    """Each step waits for the one before it; `shortcuts`: so many wait also for a step of the first half."""
    targets = [[f"s{number - 1}"] for number in range(1, count)]
    for number in range(shortcuts):
        targets[-1 - number] += [f"s{number % (count // 2)}"]
    return flow(step("s0"), *(step(f"s{place}", *dict.fromkeys(names)) for place, names in enumerate(targets, 1)))


def complete(count: int) -> Body:
    """Each step waits for all earlier ones."""
    return flow(*(step(f"s{number}", *(f"s{other}" for other in range(number))) for number in range(count)))


def lanes(count: int) -> Body:
    """split, then prep-N, train-N for each N, then merge."""
    steps = [step("split")]
    for number in range(count):
        steps += [step(f"prep-{number}", "split"), step(f"train-{number}", f"prep-{number}")]
    return flow(*steps, step("merge", *(f"train-{number}" for number in range(count))))


def with_phases(body: Body, **phases: str) -> Body:
    """The same flow as it runs; names in `phases` with `_` for `-`."""
    states = [{"name": name.replace("_", "-"), "phase": phase} for name, phase in phases.items()]
    return {**body, "status": status("Running", states)}
