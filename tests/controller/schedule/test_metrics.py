"""Metrics of schedules: what decisions add, what the gauges follow, and how many series there can be."""

import math

from prometheus_client import REGISTRY

from controller.schedule import metrics
from controller.schedule.decide import decide
from controller.schedule.metrics import ScheduleGauges
from controller.schedule.tally import ScheduleTally, tally_of
from shared.kinds import CRONJOB, CRONJOBFLOW
from shared.kube.cache.cache import Caches
from shared.model.schedules.common import ConcurrencyPolicy
from shared.model.types import Body
from tests.controller.schedule.make import START, rules, run, seen
from tests.shared.kube.fake import FakeServer, serving

NIGHT = "2026-03-01T02:00:00Z"


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_a_start_has_a_lag_and_overtaken_times_are_missed() -> None:
    given = seen(rules())
    now = START + 3600 + 7

    assert tally_of(given, decide(given, now), now) == ScheduleTally(
        (7,), 5, {"suspended": 0, "forbidden": 0, "condition": 0}
    )


def test_jitter_is_no_lag() -> None:
    given = seen(rules(jitter=600))
    start = decide(given, START + 601).wake
    assert start is not None

    assert tally_of(given, decide(given, start), start).lags == (0,)


def test_skipped_times_are_counted_by_cause() -> None:
    given = seen(rules(policy=ConcurrencyPolicy.FORBID, keeps_backlog=True), run(START + 600), considered=START + 600)
    now = START + 1201

    assert tally_of(given, decide(given, now), now).skipped == {"suspended": 0, "forbidden": 1, "condition": 0}


def test_executed_actions_are_counted() -> None:
    def numbers() -> list[float]:
        return [
            value("jobflow_schedule_lag_seconds_sum", kind="CronJob") or 0,
            value("jobflow_schedule_missed_total", kind="CronJob") or 0,
            value("jobflow_schedule_skipped_total", kind="CronJob", cause="forbidden") or 0,
        ]

    before = numbers()
    metrics.count(CRONJOB, ScheduleTally((3, 4), 2, {"forbidden": 1}))

    assert [new - old for new, old in zip(numbers(), before, strict=True)] == [7, 2, 1]


async def test_the_gauges_follow_the_cache_within_their_limit() -> None:
    def states() -> list[float]:
        found = (value("jobflow_schedules", kind="CronJobFlow", state=state) for state in ("Ready", "NotReady"))
        return [each or 0 for each in found]

    async with serving(FakeServer()) as (_, api):
        cache = Caches(api).want(CRONJOBFLOW)
        ScheduleGauges(CRONJOBFLOW, cache, most=2)
        before = states()
        for number, name in enumerate("abc"):
            cache.assume(schedule(name, str(number), success=NIGHT))
        cache.assume(schedule("d", "3", conditions=[{"type": "Ready", "status": "False"}]))

        assert [new - old for new, old in zip(states(), before, strict=True)] == [3, 1]
        assert [success(name) is not None for name in "abcd"] == [True, True, False, False]
        assert value("jobflow_schedules_without_last_success_series", kind="CronJobFlow") == 1

        for name in "abcd":
            cache.assume_deleted("ns", name, f"uid-{name}")
        assert states() == before
        assert [success(name) for name in "abcd"] == [None, None, None, None]
        assert value("jobflow_schedules_without_last_success_series", kind="CronJobFlow") == 0


def success(name: str) -> float | None:
    found = value("jobflow_schedule_last_success_timestamp_seconds", kind="CronJobFlow", schedule=f"ns/{name}")
    assert found is None or math.isclose(found, START + 7200)
    return found


def schedule(name: str, version: str, success: str = "", conditions: list[Body] | None = None) -> Body:
    metadata = {"namespace": "ns", "name": name, "uid": f"uid-{name}", "resourceVersion": version}
    status = {"conditions": conditions or [], **({"lastSuccessfulTime": success} if success else {})}
    return {"metadata": metadata, "spec": {}, "status": status}
