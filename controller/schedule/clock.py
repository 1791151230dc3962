"""The clock that schedules follow: real time, or a faster one in a demonstration cluster. Pure.

Each schedule has a clock of its own, which shows real time when the schedule is created and runs `speed` times as fast
from then on. So a schedule that is created late in the life of a cluster has missed nothing.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from controller.decision import Child, Refusal

_SHORTEST_WAIT: Final = 0.05  # real seconds between two passes at a higher speed


class ScheduleClock(msgspec.Struct, frozen=True):
    """`created`: of the schedule, epoch seconds; `speed`: 1 for real time."""

    created: float
    speed: float = 1.0

    def shown(self, now: float) -> float:
        """What the clock shows at `now`, both epoch seconds."""
        return now if self.speed == 1 else self.created + max(0.0, now - self.created) * self.speed

    def shown_refusals(self, refusals: Mapping[Child, Refusal], now: float) -> Mapping[Child, Refusal]:
        """The refusals with times of this clock. Their ages stay real, so that the API server is not asked more often."""
        if self.speed == 1:
            return refusals
        late = self.shown(now) - now
        return {child: msgspec.structs.replace(each, at=each.at + late) for child, each in refusals.items()}

    def real_wait(self, seconds: float | None) -> float | None:
        """How long a wait on this clock takes."""
        return seconds if seconds is None or self.speed == 1 else max(seconds / self.speed, _SHORTEST_WAIT)
