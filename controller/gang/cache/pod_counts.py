"""Counts of a group's pods, kept change by change: a group of a thousand pods must not be counted anew at each."""

from controller.gang.cache.pod import Member
from controller.gang.cache.pod_requirements import Amounts


class Tally:
    """`scheduled`: bound or finished; `expected`: let go but not bound; `refused`: of those, the scheduler cannot place;
    `held`: requests of unfinished pods that are bound or let go."""

    __slots__ = (
        "expected",
        "failed",
        "finished",
        "held",
        "pods",
        "refused",
        "running",
        "scheduled",
        "succeeded",
        "waiting",
    )

    def __init__(self) -> None:
        self.pods = self.waiting = self.expected = self.scheduled = 0
        self.running = self.succeeded = self.failed = self.refused = self.finished = 0
        self.held: Amounts = {}

    def count(self, member: Member, times: int) -> None:
        self.pods += times
        self.waiting += times * member.waits
        self.expected += times * member.expected
        self.refused += times * (member.expected and bool(member.refused))
        self.scheduled += times * (bool(member.node) or member.finished)
        self.running += times * (member.phase == "Running")
        self.succeeded += times * (member.phase == "Succeeded")
        self.failed += times * (member.phase == "Failed")
        self.finished += times * member.finished
        if member.holds or member.expected:
            for name, amount in member.shape.amounts.items():
                self.held[name] = self.held.get(name, 0) + times * amount
