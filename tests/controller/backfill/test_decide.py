"""Backfills: each time of the range runs once, a few at a time, whichever process is killed."""

import random
from collections import Counter
from typing import Any

import msgspec
import pytest

from controller.backfill.decide import BackfillSeen, decide
from controller.decision import Create, Decision
from shared.model.types import Body
from shared.timestamp import epoch, rfc3339
from tests.purity import pure

NOW = epoch("2026-03-01T00:00:00Z")


def cron(**spec: Any) -> Body:
    return {
        "metadata": {"name": "nightly", "namespace": "ns1", "uid": "c1", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {
            "schedules": ["0 2 * * *"],
            "params": [{"name": "day", "value": "$(schedule.date)"}],
            "jobFlowTemplate": {"spec": {"flows": [{"name": "a"}]}},
            **spec,
        },
    }


def backfill(status: Body | None = None, **spec: Any) -> Body:
    given = {"cronJobFlow": "nightly", "from": "2026-01-01T00:00:00Z", "to": "2026-01-05T23:59:59Z", **spec}
    metadata = {"name": "january", "namespace": "ns1", "uid": "b1", "generation": 1}
    return {"metadata": metadata, "spec": given, "status": status or {}}


def decided(body: Body, *flows: Body, schedule: Body | None = None, others: tuple[Body, ...] = ()) -> Decision:
    seen = BackfillSeen(body, cron() if schedule is None else schedule, None, list(flows), list(others), {})
    return decide(seen, NOW)


def begun(**spec: Any) -> Body:
    """A backfill that has recorded its times."""
    body = backfill(**spec)
    return {**body, "status": decided(body).status}


def created(decision: Decision) -> list[Body]:
    return [action.body for action in decision.actions if isinstance(action, Create)]


def flow_of(made: Body, phase: str = "") -> Body:
    metadata = {**made["metadata"], "uid": made["metadata"]["name"]}
    ended = {"completionTime": "2026-03-01T00:00:00Z"} if phase else {}
    return {"metadata": metadata, "status": {"state": {"phase": phase}, **ended}}


def test_nothing_is_created_before_the_schedule_is_recorded() -> None:
    decision = decided(backfill())

    assert created(decision) == []
    assert decision.status is not None
    assert (decision.status["total"], decision.status["progress"]) == (5, "0/5")
    assert decision.status["source"]["cron"]["spec"]["schedules"] == ["0 2 * * *"]


def test_the_first_times_start_as_the_schedule_would_have_started_them() -> None:
    first, second = created(decided(begun(parallelism=2)))

    assert first["metadata"]["name"] == f"january-b{int(epoch('2026-01-01T02:00:00Z')) // 60}"
    assert first["metadata"]["labels"] == {
        "flow.jobflow.dev/cronjobflow": "nightly",
        "flow.jobflow.dev/backfill": "january",
    }
    assert first["metadata"]["ownerReferences"][0]["kind"] == "CronJobFlowBackfill"
    assert [each["spec"]["params"][0]["value"] for each in (first, second)] == ["2026-01-01", "2026-01-02"]


def test_the_decision_changes_nothing_that_it_sees() -> None:
    seen = BackfillSeen(begun(), cron(), None, [], [], {})

    assert created(pure(decide)(seen, NOW))
    assert pure(decide)(msgspec.structs.replace(seen, body=backfill()), NOW).status is not None


def test_flows_of_a_template_are_made_from_the_copy_in_the_status() -> None:
    template = {
        "metadata": {"name": "t", "resourceVersion": "7"},
        "spec": {"params": [{"name": "day"}], "flow": {"flows": [{"name": "a"}]}},
    }
    schedule = cron(template={"name": "t"}, jobFlowTemplate=None)
    first = decide(BackfillSeen(backfill(), schedule, template, [], [], {}), NOW)
    (made,) = created(decide(BackfillSeen({**backfill(), "status": first.status}, None, None, [], [], {}), NOW))

    assert made["spec"]["flows"] == [{"name": "a"}]
    assert made["metadata"]["annotations"]["flow.jobflow.dev/template"] == "t"


def test_an_edit_of_the_schedule_changes_nothing_of_a_backfill_that_has_begun() -> None:
    edited = cron(schedules=["0 5 * * *"], params=[])
    (made,) = created(decided(begun(), schedule=edited))

    assert made["spec"]["params"] == [{"name": "day", "value": "2026-01-01"}]


def test_a_schedule_that_does_not_exist_is_a_condition() -> None:
    seen = BackfillSeen(backfill(), None, None, [], [], {})
    decision = decide(seen, NOW)

    assert decision.status is not None
    assert decision.status["conditions"][0]["message"] == 'CronJobFlow "nightly" does not exist'


def test_a_param_that_the_template_requires_and_nobody_gives_is_a_condition() -> None:
    params = [{"name": "region", "required": True}]
    template = {"metadata": {"name": "t"}, "spec": {"params": params, "flow": {"flows": [{"name": "a"}]}}}
    schedule = cron(template={"name": "t"}, params=[])
    decision = decide(BackfillSeen(backfill(), schedule, template, [], [], {}), NOW)

    assert created(decision) == []
    assert decision.status is not None
    assert 'param "region" is required' in decision.status["conditions"][0]["message"]


def test_more_than_ten_thousand_times_are_refused() -> None:
    decision = decided(backfill(), schedule=cron(schedules=["* * * * *"]))
    many = decided(backfill(to="2026-01-31T00:00:00Z"), schedule=cron(schedules=["* * * * *"]))

    assert decision.status is not None
    assert decision.status["total"] == 5 * 1440
    assert many.status is not None
    assert "at most 10000 are allowed" in many.status["conditions"][0]["message"]


REPROCESS = {
    "Never: times with a flow are skipped": ("Never", "0-1"),
    "Failed: times whose flow failed run again": ("Failed", "0"),
    "All: every time runs again": ("All", ""),
}


@pytest.mark.parametrize(("reprocess", "skipped"), REPROCESS.values(), ids=REPROCESS.keys())
def test_times_that_have_a_flow(reprocess: str, skipped: str) -> None:
    def old(time: str, phase: str) -> Body:
        metadata = {"name": time, "annotations": {"flow.jobflow.dev/scheduled-time": time}}
        return {"metadata": metadata, "status": {"state": {"phase": phase}, "completionTime": time}}

    others = (old("2026-01-01T02:00:00Z", "Succeed"), old("2026-01-02T02:00:00Z", "Failed"))
    decision = decided(backfill(reprocess=reprocess), others=others)

    assert decision.status is not None
    assert decision.status.get("skipped", "") == skipped


def test_a_flow_that_was_deleted_counts_as_failed_and_is_not_run_again() -> None:
    body = begun()
    running = {**body["status"], "started": "0"}
    decision = decided({**body, "status": running})

    assert decision.status is not None
    assert decision.status["failed"] == "0"
    assert "2026-01-02" in created(decision)[0]["metadata"]["annotations"]["flow.jobflow.dev/scheduled-time"]


def test_the_end_is_recorded_with_the_outcome() -> None:
    body = begun()
    body["status"] |= {"started": "0-4", "succeeded": "0-2", "failed": "3"}
    last = created(decided(begun(**{"from": "2026-01-05T00:00:00Z"})))[0]
    decision = decided(body, flow_of(last, "Succeed"))

    assert decision.status is not None
    assert (decision.status["succeeded"], decision.status["failed"]) == ("0-2,4", "3")
    assert decision.status["completionTime"] == rfc3339(NOW)
    assert decision.status["conditions"][0]["status"] == "True"


@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_times_run_once_each_with_three_at_once_through_twenty_kills(seed: int) -> None:
    chance = random.Random(seed)
    kills = 20
    stored = backfill(parallelism=3, to="2026-01-01T16:39:00Z")
    schedule = cron(schedules=["* * * * *"])
    children: dict[str, Body] = {}
    made: Counter[str] = Counter()
    passes = 0
    while not (stored["status"] or {}).get("completionTime"):
        passes += 1
        decision = decided(stored, *children.values(), schedule=schedule)
        creates = created(decision)
        killed = passes % 17 == 0 and passes // 17 <= kills
        writes = chance.randint(0, 3) if killed else len(creates)
        for body in creates[:writes]:
            if body["metadata"]["name"] not in children:
                made[body["metadata"]["name"]] += 1
                children[body["metadata"]["name"]] = flow_of(body)
        if not killed and decision.status is not None:
            stored = {**stored, "status": decision.status}
        active = [name for name, flow in children.items() if not flow["status"].get("completionTime")]
        assert len(active) <= 3
        for name in active[: chance.randint(1, 3)]:
            children[name] = flow_of(children[name], chance.choice(["Succeed", "Failed"]))
        recorded = stored["status"].get("active", []) if stored["status"] else []
        if not killed and chance.random() < 0.2:  # whoever prunes ended flows
            keep = {each["name"] for each in recorded}
            children = {name: flow for name, flow in children.items() if name in keep or name in active}
        assert passes < 5000

    assert len(made) == 1000
    assert set(made.values()) == {1}
    assert stored["status"]["progress"] == "1000/1000"
