"""Every stay of a Job in a phase is in the histories of its flow, however rarely the flow is looked at."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from controller.jobflow.model.job_stays import MAX_STAYS
from controller.jobflow.observe.child_cache import FlowChildren
from shared.kinds import JOB, Kind
from shared.kube.cache.cache import Caches
from shared.model.flow_status import JobEntry, RunningHistory
from shared.model.types import Body
from tests.controller.jobflow.make import UID, started, step

Stay = tuple[str, str]
NEXT = {"P": "RXA", "R": "XAC", "X": "P", "A": "B", "B": "X", "C": "X"}
OWNER = {"kind": "JobFlow", "name": "f", "uid": UID, "controller": True}


class CacheOfKind:
    """The cache of one kind, which is empty at first. `deliver`: what its watch events call."""

    def __init__(self) -> None:
        self.deliver: Callable[[Body | None, Body | None], None] = lambda old, new: None

    def on_change(self, callback: Callable[[Body | None, Body | None], None]) -> None:
        self.deliver = callback

    def by(self, index: str, value: str) -> list[Body]:
        return []


class WatchedJobs:
    """Stands in for the caches of a process."""

    def __init__(self) -> None:
        self.kinds: dict[Kind, CacheOfKind] = {}

    def want(self, kind: Kind, indexers: Mapping[str, Any]) -> CacheOfKind:
        return self.kinds.setdefault(kind, CacheOfKind())

    def deliver(self, *conditions: tuple[str, str], uid: str = "u") -> None:
        listed = [{"status": phase, "lastTransitionTime": at} for phase, at in conditions]
        metadata = {"name": "f-a", "namespace": "ns", "uid": uid, "ownerReferences": [OWNER]}
        status = {"state": {"phase": conditions[-1][0]}, "conditions": listed}
        self.kinds[JOB].deliver(None, {"metadata": metadata, "status": status})


def time(second: int) -> str:
    return f"2027-01-15T08:00:{second:02}Z"


def children(cache: WatchedJobs) -> FlowChildren:
    found = FlowChildren(cast(Caches, cache))
    found.of(UID)
    return found


def conditions(stays: Sequence[Stay]) -> list[Stay]:
    """What a Job's status keeps of its stays: the latest of each phase."""
    latest = {phase: (phase, at) for phase, at in stays}
    return sorted(latest.values(), key=lambda each: max(place for place, stay in enumerate(stays) if stay == each))


def written(found: FlowChildren, stored: Sequence[RunningHistory] = ()) -> tuple[RunningHistory, ...]:
    """The histories that a flow writes; it has written `stored` before."""
    seen = started(step("a")).seen()
    status = replace(seen.flow.status, job_status_list=(JobEntry(name="f-a", running_histories=tuple(stored)),))
    job = replace(found.of(UID)["f-a"], step="a", created=time(0))
    cluster = started(step("a"))
    decision = cluster.decide_with(flow=replace(seen.flow, status=status), jobs={**seen.jobs, "f-a": job})
    return decision.next_status.job_status_list[0].running_histories


def stays_of(histories: Sequence[RunningHistory]) -> list[Stay]:
    return [(one.state, one.start_timestamp or "") for one in histories]


def times(phases: str, *seconds: int) -> list[Stay]:
    """Stays by the first letters of their phases; X: Restarting."""
    names = {"P": "Pending", "R": "Running", "X": "Restarting", "A": "Aborting", "B": "Aborted", "C": "Completed"}
    return [(names[letter], time(second)) for letter, second in zip(phases, seconds, strict=True)]


def test_conditions_that_a_restart_replaced_are_kept():
    stays = times("PRXPR", 1, 2, 3, 4, 5)
    cache = WatchedJobs()
    found = children(cache)
    for last in range(1, 6):
        cache.deliver(*conditions(stays[:last]))
    histories = written(found)
    assert stays_of(histories) == stays
    assert [one.end_timestamp for one in histories] == [time(2), time(3), time(4), time(5), None]


@pytest.mark.parametrize(
    "stays",
    [
        pytest.param(times("PRXPR", 1, 1, 1, 1, 1), id="a restart within a second"),
        pytest.param(times("PRXPRXPRXPRC", *[1] * 12), id="three restarts within a second"),
        pytest.param(times("PRXPRXPR", 1, 1, 1, 2, 2, 2, 2, 3), id="restarts of which a second sees parts"),
        pytest.param(times("PRABXPRABXPR", *[1] * 12), id="two suspensions within a second"),
    ],
)
@pytest.mark.parametrize("every", [1, 2, 3, 20])
def test_stays_of_the_same_second_are_all_kept_in_their_order(stays: list[Stay], every: int):
    """`every`: the flow is written after so many changes of the Job."""
    cache = WatchedJobs()
    found = children(cache)
    stored: tuple[RunningHistory, ...] = ()
    for number in range(1, len(stays) + 1):
        cache.deliver(*conditions(stays[:number]))
        if number % every == 0:
            stored = written(found, stored)
    assert stays_of(written(found, stored)) == stays


@pytest.mark.parametrize("missed", [0, 1, 2])
@pytest.mark.parametrize("seconds", [[1] * 5, [1, 1, 1, 2, 2], [1, 2, 3, 4, 5]])
@pytest.mark.parametrize("written_at", [1, 2, 3])
def test_another_process_continues_the_histories_that_are_stored(written_at: int, seconds: list[int], missed: int):
    """It first sees the Job `missed` changes after the last write."""
    stays = times("PRXPR", *seconds)
    before, after = WatchedJobs(), WatchedJobs()
    found = children(before)
    for last in range(1, written_at + 1):
        before.deliver(*conditions(stays[:last]))
    stored = written(found)
    found = children(after)
    for last in range(written_at + missed, 6):
        after.deliver(*conditions(stays[:last]))
        stored = written(found, stored)
    assert stays_of(stored) == stays


def test_changes_that_one_version_of_the_job_shows_together_are_kept():
    cache = WatchedJobs()
    found = children(cache)
    cache.deliver(*conditions(times("PR", 1, 1)))
    cache.deliver(*conditions(times("PRXPR", 1, 1, 1, 1, 1)))
    assert stays_of(written(found)) == times("PRXPR", 1, 1, 1, 1, 1)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("PRXABC"), st.integers(0, 2), st.booleans()), max_size=40))
def test_whatever_a_job_passes_through_is_in_the_histories_once_and_in_order(walk: list[tuple[str, int, bool]]):
    letters, seconds, cache = ["P"], [1], WatchedJobs()
    found = children(cache)
    cache.deliver(*conditions(times("P", 1)))
    stored = written(found)
    for wish, later, writes in walk:
        follow = NEXT[letters[-1]]
        letters.append(wish if wish in follow else follow[0])
        seconds.append(min(seconds[-1] + later, 59))
        cache.deliver(*conditions(times("".join(letters), *seconds)))
        stored = written(found, stored) if writes else stored
    assert stays_of(written(found, stored)) == times("".join(letters), *seconds)


def test_another_job_of_the_name_begins_anew_and_the_memory_is_bounded():
    cache = WatchedJobs()
    found = children(cache)
    stays: list[Stay] = []
    for restart in range(60):
        stays += times("RX", restart % 60, restart % 60)
        cache.deliver(*conditions(stays))
    assert len(found.of(UID)["f-a"].stays) == MAX_STAYS == len(written(found))
    cache.deliver(("Pending", time(50)), uid="other")
    assert stays_of(written(found)) == times("P", 50)
