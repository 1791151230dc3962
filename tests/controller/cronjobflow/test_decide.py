"""The CronJobFlow controller's decision: JobFlows, status, events and the next look, as data."""

import copy
from typing import Any

import pytest

from controller.cronjobflow.decide import decide
from controller.decision import Create, Decision, Delete
from shared.children.scheduled_flows import filled
from shared.model.types import Body
from shared.timestamp import epoch
from tests.purity import pure

CREATED = "2026-03-28T00:00:00Z"
TEMPLATE: Body = {
    "metadata": {"name": "nightly", "namespace": "ns1"},
    "spec": {
        "params": [{"name": "day", "required": True}, {"name": "mode", "default": "fast"}],
        "flow": {"flows": [{"name": "a"}], "params": [{"name": "region", "value": "eu"}]},
    },
}


def cron(status: Body | None = None, **spec: Any) -> Body:
    return {
        "metadata": {
            "name": "beat",
            "namespace": "ns1",
            "uid": "u1",
            "generation": 2,
            "creationTimestamp": CREATED,
        },
        "spec": {
            "schedules": ["30 2 * * *"],
            "timeZone": "Europe/Berlin",
            "template": {"name": "nightly"},
            "params": [{"name": "day", "value": "$(schedule.date)"}],
            **spec,
        },
        "status": status or {},
    }


def flow(due: str, phase: str = "", completed: str | None = None) -> Body:
    return {
        "metadata": {
            "name": f"beat-{int(epoch(due)) // 60}",
            "uid": f"flow-{due}",
            "annotations": {"flow.jobflow.dev/scheduled-time": due},
        },
        "status": {"state": {"phase": phase}, **({"completionTime": completed} if completed else {})},
    }


def decided(given: Body, *flows: Body, now: str, template: Body | None = TEMPLATE) -> Decision:
    before = copy.deepcopy((given, flows, template))
    decision = pure(decide)(given, template, list(flows), {}, epoch(now))
    assert (given, flows, template) == before
    return decision


def created(decision: Decision) -> list[Body]:
    return [action.body for action in decision.actions if isinstance(action, Create)]


def test_a_due_time_creates_a_flow_from_the_template_with_its_params() -> None:
    (made,) = created(decided(cron(), now="2026-03-28T01:30:02Z"))

    assert made["metadata"]["name"] == f"beat-{int(epoch('2026-03-28T01:30:00Z')) // 60}"
    assert made["metadata"]["labels"] == {"flow.jobflow.dev/cronjobflow": "beat"}
    assert made["spec"]["flows"] == [{"name": "a"}]
    assert made["spec"]["params"] == [
        {"name": "region", "value": "eu"},
        {"name": "mode", "value": "fast"},
        {"name": "day", "value": "2026-03-28"},
    ]


def test_an_inline_flow_is_copied_with_its_labels() -> None:
    inline = {"metadata": {"labels": {"team": "a"}}, "spec": {"flows": [{"name": "x"}], "parallelism": 2}}
    (made,) = created(
        decided(cron(template=None, params=[], jobFlowTemplate=inline), now="2026-03-28T01:30:02Z", template=None)
    )

    assert made["metadata"]["labels"]["team"] == "a"
    assert made["spec"] == {"flows": [{"name": "x"}], "parallelism": 2}


VALUES = {
    "date": ("$(schedule.date)", "2026-03-29"),
    "time": ("at $(schedule.time)", "at 2026-03-29T01:00:00Z"),
    "previous time": ("$(schedule.previousTime)", "2026-03-28T01:30:00Z"),
    "seconds": ("$(schedule.unix)", "1774746000"),
    "other text stays": ("$(params.x) $$(schedule.nope)", "$(params.x) $$(schedule.nope)"),
}


@pytest.mark.parametrize(("text", "expected"), VALUES.values(), ids=VALUES.keys())
def test_schedule_values_in_params(text: str, expected: str) -> None:
    due, previous = int(epoch("2026-03-29T01:00:00Z")), int(epoch("2026-03-28T01:30:00Z"))

    assert filled(text, {"timeZone": "Europe/Berlin"}, due, previous) == expected


def test_nothing_is_created_while_the_template_does_not_exist() -> None:
    decision = decided(cron(), now="2026-03-28T01:30:02Z", template=None)

    assert created(decision) == []
    assert decision.status is not None
    assert 'JobFlowTemplate "nightly" does not exist' in decision.status["conditions"][0]["message"]


def test_a_required_param_without_a_value_is_a_condition() -> None:
    decision = decided(cron(params=[]), now="2026-03-28T01:30:02Z")

    assert created(decision) == []
    assert decision.notes[0].message == 'spec.params: param "day" is required by the template'


def test_a_value_that_the_template_does_not_allow_is_a_condition() -> None:
    params = [{"name": "day", "value": "$(schedule.time)"}]
    declared = [{"name": "day", "pattern": "[0-9-]+"}]
    template = {**TEMPLATE, "spec": {**TEMPLATE["spec"], "params": declared}}
    decision = decided(cron(params=params), now="2026-03-28T01:30:02Z", template=template)

    assert created(decision) == []
    assert decision.notes[0].message == 'spec.params: param "day" must match the pattern [0-9-]+'


def test_the_condition_reads_the_failed_flow() -> None:
    status = {"consideredUntil": "2026-03-28T01:30:00Z", "lastScheduleTime": "2026-03-28T01:30:00Z"}
    failed = flow("2026-03-28T01:30:00Z", "Failed", "2026-03-28T02:00:00Z")
    given = cron(status, when='last.phase != "Failed"')
    decision = decided(given, failed, now="2026-03-29T01:00:01Z")

    assert created(decision) == []
    assert decision.status is not None
    assert decision.status["skipped"] == {"condition": 1}
    assert decision.status["lastRun"]["name"] == failed["metadata"]["name"]


def test_a_condition_that_cannot_be_evaluated_skips_and_says_why() -> None:
    decision = decided(cron(when="last.nope == ''"), now="2026-03-28T01:30:02Z")

    assert created(decision) == []
    assert "no such key" in decision.notes[0].message


def test_a_flow_whose_finally_still_runs_is_active() -> None:
    status = {"consideredUntil": "2026-03-28T01:30:00Z", "lastScheduleTime": "2026-03-28T01:30:00Z"}
    ending = flow("2026-03-28T01:30:00Z", "Failed")
    decision = decided(cron(status, concurrencyPolicy="Forbid"), ending, now="2026-03-29T01:00:01Z")

    assert created(decision) == []
    assert decision.status is not None
    assert decision.status["skipped"] == {"forbidden": 1}
    assert [each["name"] for each in decision.status["active"]] == [ending["metadata"]["name"]]


def test_history_is_pruned_by_outcome() -> None:
    status = {"consideredUntil": "2026-03-28T04:00:00Z"}
    times = [f"2026-03-28T0{hour}:30:00Z" for hour in range(4)]
    old = [flow(time, "Succeed", time) for time in times]
    decision = decided(cron(status, successfulJobFlowsHistoryLimit=1), *old, now="2026-03-28T05:00:00Z")

    deleted = [action.name for action in decision.cleanup if isinstance(action, Delete)]
    assert deleted == [each["metadata"]["name"] for each in old[:3]]


def test_an_edit_of_the_schedules_starts_no_time_before_it() -> None:
    observed = {"schedules": ["0 23 * * *"], "timeZone": "Europe/Berlin", "since": CREATED}
    decision = decided(cron({"observedSchedule": observed}), now="2026-03-28T06:00:00Z")

    assert created(decision) == []
    assert decision.status is not None
    assert decision.status["observedSchedule"]["since"] == "2026-03-28T06:00:00Z"


def test_the_next_three_due_times_are_in_the_status() -> None:
    decision = decided(cron(), now="2026-03-28T00:30:00Z")

    assert decision.status is not None
    assert decision.status["nextScheduleTimes"] == [
        "2026-03-28T01:30:00Z",
        "2026-03-29T01:00:00Z",
        "2026-03-30T00:30:00Z",
    ]


HOURLY: Body = {"schedules": ["0 * * * *"], "timeZone": "", "catchUp": {"limit": 9}}
ENDED: Body = {
    "consideredUntil": "2026-03-28T01:00:00Z",
    "observedSchedule": {"schedules": ["0 * * * *"], "since": CREATED, "endTime": "2026-03-28T02:30:00Z"},
}


@pytest.mark.parametrize("later", [None, "2026-03-30T00:00:00Z"])
def test_times_between_an_end_that_has_passed_and_its_removal_are_not_due(later: str | None) -> None:
    given = cron(ENDED, **HOURLY, **({"endTime": later} if later else {}))
    decision = decided(given, now="2026-03-28T06:10:00Z")

    assert [each["metadata"]["name"][-8:] for each in created(decision)] == [
        str(int(epoch("2026-03-28T02:00:00Z")) // 60)
    ]
    assert decision.status is not None
    assert decision.status["consideredUntil"] == "2026-03-28T06:10:00Z"
    assert decision.status["observedSchedule"].get("endTime") == later
    assert decision.status.get("missedTotal", 0) == 0
    assert decision.requeue_after is not None
    again = decided({**given, "status": decision.status}, now="2026-03-28T07:00:00Z")
    assert [each["metadata"]["name"][-8:] for each in created(again)][-1] == str(
        int(epoch("2026-03-28T07:00:00Z")) // 60
    )


def test_an_end_stays_recorded_until_the_times_before_it_are_decided() -> None:
    given = cron(ENDED, **HOURLY)
    blocked = decided(given, now="2026-03-28T06:10:00Z", template=None)
    assert blocked.status is not None
    assert blocked.status["observedSchedule"]["endTime"] == "2026-03-28T02:30:00Z"
    late = decided({**given, "status": blocked.status}, now="2026-03-28T08:10:00Z")
    assert [each["metadata"]["name"][-8:] for each in created(late)] == [str(int(epoch("2026-03-28T02:00:00Z")) // 60)]


def test_an_end_that_is_moved_before_it_has_passed_ends_nothing() -> None:
    given = cron(ENDED, **HOURLY, endTime="2026-03-28T09:00:00Z")
    decision = decided(given, now="2026-03-28T02:10:00Z")
    assert decision.status is not None
    assert decision.status["observedSchedule"]["endTime"] == "2026-03-28T09:00:00Z"
    later = decided({**given, "status": decision.status}, now="2026-03-28T04:10:00Z")
    assert len(created(later)) == 2
