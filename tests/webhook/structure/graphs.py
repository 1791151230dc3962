"""Random graphs of flows and Jobs, right and broken, for comparisons of who refuses them."""

import random
from collections.abc import Iterator, Sequence
from typing import Final

from shared.model.types import Body
from tests.webhook.make import flow, job, step, task

Nodes = list[tuple[str, list[str]]]
SHAPES: Final = ("sparse", "dense", "chain", "layers")


def random_flows(count: int, seed: int, largest: int = 14) -> Iterator[Body]:
    """Flows of up to `largest` steps; every second one has one fault or more."""
    rng = random.Random(seed)
    for number in range(count):
        nodes = _graph(rng, rng.randint(1, largest))
        if number % 2:
            _spoil(rng, nodes)
        rng.shuffle(nodes)
        yield flow(*(step(name, *targets) for name, targets in nodes), name=f"f{number}")


def random_jobs(count: int, seed: int) -> Iterator[Body]:
    rng = random.Random(seed)
    for number in range(count):
        nodes = _graph(rng, rng.randint(1, 8))
        if number % 2:
            _spoil(rng, nodes)
        rng.shuffle(nodes)
        tasks = [_task(rng, name, targets) for name, targets in nodes]
        most = sum(each["replicas"] for each in tasks)
        minimum = rng.choice([None, None, most, rng.randint(0, most + 2)])
        yield job(*tasks, name=f"j{number}", minAvailable=minimum)


def rings(size: int, before: int = 0, behind: int = 0) -> Nodes:
    """A cycle of `size` steps, with a chain that leads into it and one that leads out of it."""
    ring = [(f"r{at}", [f"r{(at - 1) % size}"]) for at in range(size)]
    into = [(f"i{at}", [f"i{at - 1}"] if at else []) for at in range(before)]
    out = [(f"o{at}", [f"o{at - 1}" if at else "r0"]) for at in range(behind)]
    if into:
        ring[0][1].append(into[-1][0])
    return ring + into + out


def chain(length: int) -> Nodes:
    return [(f"s{at}", [f"s{at - 1}"] if at else []) for at in range(length)]


def orders(nodes: Sequence[tuple[str, list[str]]], seed: int = 1) -> dict[str, Body]:
    """The flow of the nodes as given, reversed and shuffled."""
    shuffled = random.Random(seed).sample(list(nodes), len(nodes))
    given = {"in order": list(nodes), "reversed": list(nodes)[::-1], "shuffled": shuffled}
    return {order: flow(*(step(name, *targets) for name, targets in chosen)) for order, chosen in given.items()}


def _task(rng: random.Random, name: str, targets: list[str]) -> Body:
    made = task(name, rng.randint(0, 3))
    if targets:
        made["dependsOn"] = {"name": list(dict.fromkeys(targets))}
    if rng.random() < 0.2:
        made["minAvailable"] = rng.randint(0, made["replicas"] + rng.choice([0, 0, 1]))
    return made


def _graph(rng: random.Random, size: int) -> Nodes:
    shape = rng.choice(SHAPES)
    nodes: Nodes = []
    for at in range(size):
        if shape == "chain":
            earlier = [at - 1] if at else []
        elif shape == "layers":
            earlier = [other for other in range(at - at % 3 - 3, at - at % 3) if other >= 0]
        else:
            earlier = rng.sample(range(at), min(at, rng.randint(0, 2 if shape == "sparse" else 6)))
        nodes.append((f"s{at}", [f"s{other}" for other in earlier]))
    return nodes


def _spoil(rng: random.Random, nodes: Nodes) -> None:
    for _ in range(rng.choice([1, 1, 2])):
        at = rng.randrange(len(nodes))
        name, targets = nodes[at]
        match rng.choice(["back", "self", "missing", "name", "twice"]):
            case "back":
                targets.append(rng.choice(nodes)[0])
            case "self":
                targets.append(name)
            case "missing":
                targets.append(f"absent{at}")
            case "name":
                nodes[at] = (rng.choice(["Upper", "under_score", "-dash", "x" * 64, "a.b", name]), targets)
            case "twice":
                nodes.append((rng.choice(nodes)[0], []))
