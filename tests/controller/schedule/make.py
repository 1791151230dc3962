"""Builders: schedules as the engine sees them, and a small cluster that carries out its plans."""

from dataclasses import dataclass, field

import msgspec

from controller.schedule.decide import decide
from controller.schedule.observed import (
    RunState,
    ScheduledRun,
    SchedulePlan,
    ScheduleRules,
    ScheduleSeen,
    ScheduleState,
)
from shared.cron import Timetable, parse
from shared.timestamp import epoch
from tests.purity import pure

START = int(epoch("2026-03-01T00:00:00Z"))
UID = "5f3d"


def rules(schedule: str = "*/10 * * * *", **settings: object) -> ScheduleRules:
    return msgspec.structs.replace(ScheduleRules(Timetable((parse(schedule),), "", START)), **settings)


def seen(given: ScheduleRules, *runs: ScheduledRun, **state: object) -> ScheduleSeen:
    recorded = msgspec.structs.replace(ScheduleState(considered=START), **state)
    return ScheduleSeen(UID, given, recorded, tuple(runs))


def run(due: int, state: RunState = RunState.ACTIVE, completed: int | None = None, **more: object) -> ScheduledRun:
    ended = due + 60 if completed is None and state is not RunState.ACTIVE else completed
    return msgspec.structs.replace(
        ScheduledRun(f"nightly-{due // 60}", f"uid-{due}", due, state, completed=ended), **more
    )


def minutes(*offsets: float) -> tuple[int, ...]:
    """Moments so many minutes after START."""
    return tuple(int(START + 60 * each) for each in offsets)


@dataclass
class ScheduleCluster:
    """What is stored, apart from the process that decides. `created`: every time for which a child was ever created."""

    rules: ScheduleRules
    state: ScheduleState
    length: int
    children: dict[int, ScheduledRun] = field(default_factory=dict)
    created: list[int] = field(default_factory=list)
    overlaps: int = 0

    def plan(self, now: int) -> SchedulePlan:
        self.progress(now)
        return pure(decide)(ScheduleSeen(UID, self.rules, self.state, tuple(self.children.values())), now)

    def progress(self, now: int) -> None:
        """Runs end after `length` seconds; every third one fails; runs that are being deleted disappear."""
        for due, child in list(self.children.items()):
            if child.deleting:
                del self.children[due]
            elif child.state is RunState.ACTIVE and child.completed is not None and child.completed <= now:
                state = RunState.FAILED if due // 60 % 3 == 0 else RunState.SUCCEEDED
                self.children[due] = msgspec.structs.replace(child, state=state)

    def carry_out(self, plan: SchedulePlan, now: int, writes: int) -> None:
        """The first `writes` writes of a plan, in the order in which they are made; then the process is killed."""
        for old in plan.replaced[:writes]:
            self.children[old.due] = msgspec.structs.replace(self.children[old.due], deleting=True)
        writes -= len(plan.replaced)
        for due in plan.starts[: max(writes, 0)]:
            if due not in self.children:
                self.overlaps += any(child.state is RunState.ACTIVE for child in self.children.values())
                self.created.append(due)
                self.children[due] = run(due, completed=now + self.length)
        writes -= len(plan.starts)
        if writes <= 0:
            return
        self.state = plan.state
        for old in plan.pruned[: writes - 1]:
            self.children.pop(old.due, None)
