"""A seed becomes a plan: which flows run and what harm is done when. Pure, so a seed means the same run for ever."""

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.chaos import workloads
from tests.chaos.faults import HARMS

HARMS_A_RUN: Final = (1, 4)
WORKLOADS_A_RUN: Final = (2, 3)
LATEST: Final = 2.0  # seconds
LAST_ARRIVAL: Final = 1.5


@dataclass(frozen=True)
class ScheduledFault:
    """One harm. `at`, `lasts`: seconds; `said`: what the harm drew for itself; `key`: tells it from its like."""

    at: float
    lasts: float
    harm: str
    said: dict[str, Any] = field(default_factory=dict)
    key: str = ""

    def __str__(self) -> str:
        told = ",".join(f"{name}={value}" for name, value in self.said.items() if name != "rules")
        return f"{self.harm}@{self.at:.1f}+{self.lasts:.1f}" + (f"({told})" if told else "")


@dataclass(frozen=True)
class ChaosPlan:
    seed: int
    workloads: tuple[str, ...]
    harms: tuple[ScheduledFault, ...]


def draw(seed: int) -> ChaosPlan:
    """The plan of a seed."""
    chance = Random(f"plan {seed}")
    chosen = tuple(chance.sample(sorted(workloads.WORKLOADS), chance.randint(*WORKLOADS_A_RUN)))
    harms = []
    for number, name in enumerate(chance.sample(sorted(HARMS), chance.randint(*HARMS_A_RUN))):
        harm = HARMS[name]
        at, lasts = round(chance.uniform(0, LATEST), 2), round(chance.uniform(*harm.lasts), 2)
        harms.append(ScheduledFault(at, lasts, name, harm.draw(chance), f"{number}-{name}"))
    return ChaosPlan(seed, chosen, tuple(sorted(harms, key=lambda each: each.at)))


def arrivals(plan: ChaosPlan) -> tuple[float, ...]:
    """When each workload is submitted, in seconds: while harm is done, not before."""
    chance = Random(f"arrivals {plan.seed}")
    return tuple(round(chance.uniform(0, LAST_ARRIVAL), 2) for _ in plan.workloads)


def moments(plan: ChaosPlan) -> list[tuple[float, bool, ScheduledFault]]:
    """(seconds, whether it ends, harm) in the order of time."""
    begun = [(each.at, False, each) for each in plan.harms]
    ended = [(each.at + each.lasts, True, each) for each in plan.harms]
    return sorted(begun + ended, key=lambda moment: (moment[0], moment[1], moment[2].key))
