"""A CronJob that Volcano's controller and ours run in turn, with take-overs at any moment and crashes of both."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.cronjob.decide import decide
from controller.decision import Create, Delete
from shared.model.types import Body
from shared.timestamp import epoch, rfc3339
from tests.controller.cronjob.test_decide import created, cron_job, decided
from tests.purity import pure
from tests.volcano_cron_jobs import recorded, volcano_pass

START = int(epoch("2026-03-01T00:00:00Z"))
PERIOD = 600
ALL = 100  # writes: more than any pass makes


@dataclass
class HandedCronJob:
    """What the API server holds. `made`: the name of every Job that was ever created."""

    cron: Body
    length: int
    jobs: dict[str, Body] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    def progress(self, now: int) -> None:
        """Jobs end after `length` seconds; every fourth fails."""
        for name, job in self.jobs.items():
            ended = int(epoch(job["metadata"]["creationTimestamp"])) + self.length
            if job["status"]["state"]["phase"] == "Running" and ended <= now:
                phase = "Failed" if int(name.rpartition("-")[2]) % 40 == 0 else "Completed"
                self.jobs[name] = {**job, "status": {"state": {"phase": phase, "lastTransitionTime": rfc3339(ended)}}}

    def ours(self, now: int, writes: int) -> None:
        decision = pure(decide)(self.cron, list(self.jobs.values()), {}, float(now))
        for action in (*decision.first, *decision.actions):
            if writes == 0:
                return
            writes -= 1
            if isinstance(action, Create):
                self._create(action.body, now)
            elif isinstance(action, Delete):
                self.jobs.pop(action.name, None)
        if writes == 0:
            return
        if decision.status is not None:
            self.cron = {**self.cron, "status": decision.status}
        for action in decision.cleanup[: writes - 1]:
            assert isinstance(action, Delete)
            self.jobs.pop(action.name, None)

    def volcanos(self, now: int, writes: int) -> None:
        plan = volcano_pass(self.cron, list(self.jobs.values()), now)
        for name in plan.delete[:writes]:
            self.jobs.pop(name, None)
        writes -= len(plan.delete)
        status = plan.status
        if plan.create is not None and writes > 0:
            writes -= 1
            status = recorded(status, self.cron, self._create(plan.create, now))
        if status is not None and writes > 0:
            self.cron = {**self.cron, "status": status}

    def _create(self, body: Body, now: int) -> Body:
        metadata = body["metadata"]
        if metadata["name"] not in self.jobs:
            self.made.append(metadata["name"])
            stored = {**metadata, "uid": f"uid-{len(self.made)}", "creationTimestamp": rfc3339(now)}
            running = {"state": {"phase": "Running", "lastTransitionTime": rfc3339(now)}}
            self.jobs[metadata["name"]] = {**body, "metadata": {**stored, "resourceVersion": "1"}, "status": running}
        return self.jobs[metadata["name"]]


def handed(length: int, **spec: Any) -> HandedCronJob:
    wanted = {"schedule": "*/10 * * * *", "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1, **spec}
    given = cron_job(**wanted)
    given["spec"].pop("timeZone")
    given["metadata"]["creationTimestamp"] = rfc3339(START)
    return HandedCronJob(given, length)


STEPS = st.lists(
    st.tuples(
        st.integers(-300, 2400),  # seconds by which the clock moves
        st.sampled_from(["ours", "volcanos"]),
        st.integers(0, 8),  # writes before the process is killed; 8: it is not
    ),
    min_size=5,
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.integers(30, 2000), st.sampled_from(["Allow", "Forbid"]))
def test_no_due_time_runs_twice_and_the_newest_always_runs(
    steps: list[tuple[int, str, int]], length: int, policy: str
) -> None:
    held = handed(length, concurrencyPolicy=policy)
    now = newest = START
    for moved, who, writes in steps:
        now = max(START, now + moved)
        newest = max(now, newest)
        held.progress(now)
        whole = writes == 8
        (held.ours if who == "ours" else held.volcanos)(now, ALL if whole else writes)
        due = newest // PERIOD * PERIOD
        if whole and policy == "Allow" and due > START and now >= due:
            assert f"nightly-{due // 60}" in held.made

    assert max(Counter(held.made).values(), default=1) == 1


@pytest.mark.parametrize("orphan", [False, True], ids=["recorded", "created only"])
def test_a_time_that_one_of_them_started_is_not_started_by_the_other(orphan: bool) -> None:
    """Created only: it was killed between the Job and the status."""
    for first, second in (("ours", "volcanos"), ("volcanos", "ours")):
        held = handed(60)
        getattr(held, first)(START + 601, 1 if orphan else ALL)
        getattr(held, second)(START + 700, ALL)
        held.progress(START + 800)
        getattr(held, second)(START + 800, ALL)
        getattr(held, first)(START + 900, ALL)

        assert held.made == [f"nightly-{(START + 600) // 60}"]


def test_a_last_run_of_volcano_that_is_gone_is_not_run_again() -> None:
    status = {"lastScheduleTime": "2026-03-30T01:30:00Z"}
    decision = decided(cron_job(status, timeZone="Etc/UTC", schedule="30 1 * * *"), now="2026-03-30T12:00:00Z")

    assert created(decision) == []
