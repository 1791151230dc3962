"""When the status of a group is written."""

import pytest

from controller.gang.cache.pod_counts import GroupPodCounts
from controller.gang.cache.pod_group import PodGroupInfo, pod_group_info_of
from controller.gang.podgroup.status_throttle import (
    CHANGES_SECONDS,
    ENDED_SECONDS,
    MOST_NUMBERS_SECONDS,
    NUMBERS_SECONDS,
    StatusThrottle,
)
from shared.key import Key
from shared.model.types import Body
from tests.controller.gang.make import NOW

REF = Key("ns", "group")
RUNNING: Body = {"phase": "Running", "running": 2}
WAITS: Body = {"phase": "Pending", "conditions": [{"type": "Unschedulable", "message": "2 pods too many"}]}


def group(status: Body | None = None, of_job: bool = True) -> PodGroupInfo:
    return PodGroupInfo(REF, "u", status=status or {"phase": "Inqueue"}, of_job=of_job)


def tally(pods: int = 2, finished: int = 0) -> GroupPodCounts:
    made = GroupPodCounts()
    made.pods, made.finished = pods, finished
    return made


@pytest.mark.parametrize(
    ("seen", "counted", "wanted"),
    [
        pytest.param(group(), tally(), CHANGES_SECONDS, id="pods run"),
        pytest.param(group(), tally(finished=1), CHANGES_SECONDS, id="some have ended"),
        pytest.param(group(), tally(finished=2), ENDED_SECONDS, id="all have ended: the Job will delete it"),
        pytest.param(
            group(of_job=False), tally(finished=2), CHANGES_SECONDS, id="all have ended, nobody will delete it"
        ),
        pytest.param(group(), tally(pods=0), CHANGES_SECONDS, id="no pods yet"),
    ],
)
def test_a_change_is_held_back_for_a_while(seen: PodGroupInfo, counted: GroupPodCounts, wanted: float) -> None:
    assert StatusThrottle().pause(seen, counted, RUNNING, NOW) == wanted


def test_the_delay_counts_from_the_first_change() -> None:
    pace = StatusThrottle()
    pace.pause(group(), tally(), RUNNING, NOW)
    assert pace.pause(group(), tally(), {**RUNNING, "running": 1}, NOW + 1.5) == CHANGES_SECONDS - 1.5
    assert pace.pause(group(), tally(), RUNNING, NOW + CHANGES_SECONDS) == 0


def test_a_write_starts_a_new_delay() -> None:
    pace = StatusThrottle()
    pace.pause(group(), tally(), RUNNING, NOW)
    pace.wrote(REF, NOW + CHANGES_SECONDS)
    assert pace.pause(group(), tally(), RUNNING, NOW + CHANGES_SECONDS) == CHANGES_SECONDS


def test_an_equal_status_is_not_written() -> None:
    assert StatusThrottle().pause(group(RUNNING), tally(), RUNNING, NOW) is None


REPORTED: Body = {**WAITS, "conditions": [{"type": "Unschedulable", "message": "1 pods too many"}]}


@pytest.mark.parametrize(
    ("waiting", "wanted"), [(1, NUMBERS_SECONDS), (50, 10.0), (1000, MOST_NUMBERS_SECONDS)], ids=["one", "50", "1000"]
)
def test_numbers_in_a_message_are_held_back_longer_the_more_groups_wait(waiting: int, wanted: float) -> None:
    pace = StatusThrottle()
    for number in range(waiting):
        other = PodGroupInfo(Key("ns", f"g{number}"), "u", status=REPORTED, of_job=True)
        pause = pace.pause(other, tally(), WAITS, NOW)
    assert pause == wanted


def test_numbers_that_are_written_do_not_hold_back_those_of_other_groups() -> None:
    pace = StatusThrottle()
    for number in range(1000):
        key = Key("ns", f"g{number}")
        pace.pause(PodGroupInfo(key, "u", status=REPORTED, of_job=True), tally(), WAITS, NOW)
        pace.wrote(key, NOW)
    assert pace.pause(group(REPORTED), tally(), WAITS, NOW) == NUMBERS_SECONDS


def test_a_clock_that_is_set_back_costs_one_delay_at_most() -> None:
    pace = StatusThrottle()
    pace.pause(group(), tally(), RUNNING, NOW)
    assert pace.pause(group(), tally(), RUNNING, NOW - 3600) == CHANGES_SECONDS
    assert pace.pause(group(), tally(), RUNNING, NOW - 3600 + CHANGES_SECONDS) == 0


def test_a_deleted_group_is_forgotten() -> None:
    pace = StatusThrottle()
    pace.pause(group(), tally(), RUNNING, NOW)
    pace.forget(REF)
    assert pace.pause(group(), tally(), RUNNING, NOW + 60) == CHANGES_SECONDS


@pytest.mark.parametrize(
    ("owners", "wanted"),
    [
        pytest.param([{"kind": "Job", "name": "j", "controller": True}], True, id="a Job controls it"),
        pytest.param([{"kind": "Job", "name": "j"}], False, id="a Job owns it beside others"),
        pytest.param([{"kind": "ReplicaSet", "name": "r", "controller": True}], False, id="another kind"),
        pytest.param([], False, id="nobody"),
    ],
)
def test_a_group_of_a_job_is_known_by_its_owner(owners: list[Body], wanted: bool) -> None:
    assert pod_group_info_of({"metadata": {"name": "group", "ownerReferences": owners}}).of_job is wanted
