"""The plan of a seed: which workloads run and which faults are injected when. Pure: a seed always gives the same plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.chaos import workloads
from tests.chaos.faults import FAULTS, MILD

FAULTS_A_RUN: Final = (1, 4)
WORKLOADS_A_RUN: Final = (2, 3)
LATEST: Final = 2.0  # seconds
LAST_ARRIVAL: Final = 1.5
RECOVERS: Final = 10.0  # seconds after a fault in which processes restart, take over and read everything again
NEEDS: Final = {"evicted-pods": workloads.EVICTED}
"""Workloads without which a fault has no effect."""
_MILD_RUNS: Final = 5  # every so many runs have only faults that do not concern our processes


@dataclass(frozen=True)
class ScheduledFault:
    """One fault. `at`, `lasts`: seconds; `parameters`: drawn by the fault; `key`: unique in the plan."""

    at: float
    lasts: float
    fault: str
    parameters: dict[str, Any] = field(default_factory=dict)
    key: str = ""

    def __str__(self) -> str:
        texts = ",".join(f"{name}={value}" for name, value in self.parameters.items() if name != "rules")
        return f"{self.fault}@{self.at:.1f}+{self.lasts:.1f}" + (f"({texts})" if texts else "")


@dataclass(frozen=True)
class ChaosPlan:
    seed: int
    workloads: tuple[str, ...]
    faults: tuple[ScheduledFault, ...]


def draw(seed: int) -> ChaosPlan:
    """The plan of a seed."""
    chance = Random(f"plan {seed}")
    chosen = tuple(chance.sample(sorted(workloads.WORKLOADS), chance.randint(*WORKLOADS_A_RUN)))
    faults = []
    known = sorted(MILD if seed % _MILD_RUNS == 0 else FAULTS)
    for number, name in enumerate(chance.sample(known, chance.randint(*FAULTS_A_RUN))):
        fault = FAULTS[name]
        at, lasts = round(chance.uniform(0, LATEST), 2), round(chance.uniform(*fault.lasts), 2)
        faults.append(ScheduledFault(at, lasts, name, fault.draw(chance), f"{number}-{name}"))
    needed = {NEEDS[each.fault] for each in faults if each.fault in NEEDS} - set(chosen)
    if seed % _MILD_RUNS == 0:
        needed |= {workloads.LASTING} - set(chosen)
    return ChaosPlan(seed, (*chosen, *sorted(needed)), tuple(sorted(faults, key=lambda each: each.at)))


def arrivals(plan: ChaosPlan) -> tuple[float, ...]:
    """When each workload is submitted, in seconds: while faults are injected, not before."""
    chance = Random(f"arrivals {plan.seed}")
    return tuple(round(chance.uniform(0, LAST_ARRIVAL), 2) for _ in plan.workloads)


def changes(plan: ChaosPlan) -> list[tuple[float, bool, ScheduledFault]]:
    """(seconds, whether the fault ends, fault) in the order of time."""
    begun = [(each.at, False, each) for each in plan.faults]
    ended = [(each.at + each.lasts, True, each) for each in plan.faults]
    return sorted(begun + ended, key=lambda change: (change[0], change[1], change[2].key))


def troubled(plan: ChaosPlan, lasted: Mapping[str, tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """From when to when statuses may be older than usual. `lasted`: when each fault began and was over, by its key."""
    times = [lasted[each.key] for each in plan.faults if each.fault not in MILD]
    return tuple((begin, over + RECOVERS) for begin, over in times)
