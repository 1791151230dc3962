"""The plan of a seed: which workloads run and which faults are injected when. Pure: a seed always gives the same plan."""

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.chaos import workloads
from tests.chaos.faults import FAULTS

FAULTS_A_RUN: Final = (1, 4)
WORKLOADS_A_RUN: Final = (2, 3)
LATEST: Final = 2.0  # seconds
LAST_ARRIVAL: Final = 1.5


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
    for number, name in enumerate(chance.sample(sorted(FAULTS), chance.randint(*FAULTS_A_RUN))):
        fault = FAULTS[name]
        at, lasts = round(chance.uniform(0, LATEST), 2), round(chance.uniform(*fault.lasts), 2)
        faults.append(ScheduledFault(at, lasts, name, fault.draw(chance), f"{number}-{name}"))
    return ChaosPlan(seed, chosen, tuple(sorted(faults, key=lambda each: each.at)))


def arrivals(plan: ChaosPlan) -> tuple[float, ...]:
    """When each workload is submitted, in seconds: while faults are injected, not before."""
    chance = Random(f"arrivals {plan.seed}")
    return tuple(round(chance.uniform(0, LAST_ARRIVAL), 2) for _ in plan.workloads)


def changes(plan: ChaosPlan) -> list[tuple[float, bool, ScheduledFault]]:
    """(seconds, whether the fault ends, fault) in the order of time."""
    begun = [(each.at, False, each) for each in plan.faults]
    ended = [(each.at + each.lasts, True, each) for each in plan.faults]
    return sorted(begun + ended, key=lambda change: (change[0], change[1], change[2].key))
