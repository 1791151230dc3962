"""Every stay of a Job in a phase is in the histories of its flow, however rarely the flow is looked at."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from msgspec.structs import replace

from controller.jobflow.observe.child_cache import MAX_EARLIER, FlowChildren
from shared.kinds import JOB, Kind
from shared.kube.cache.cache import Caches
from shared.model.types import Body
from tests.controller.jobflow.make import UID, started, step

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


def test_conditions_that_a_restart_replaced_are_kept():
    cache = WatchedJobs()
    found = children(cache)
    cache.deliver(("Pending", time(1)))
    cache.deliver(("Pending", time(1)), ("Running", time(2)))
    cache.deliver(("Pending", time(1)), ("Running", time(2)), ("Restarting", time(3)))
    cache.deliver(("Running", time(2)), ("Restarting", time(3)), ("Pending", time(4)))
    cache.deliver(("Restarting", time(3)), ("Pending", time(4)), ("Running", time(5)))
    child = found.of(UID)["f-a"]
    assert [(str(one.status), one.last_transition_time) for one in child.earlier] == [
        ("Pending", time(1)),
        ("Running", time(2)),
    ]
    cluster = started(step("a"))
    seen = cluster.seen()
    shown = replace(child, step="a", created=time(0))
    decision = cluster.decide_with(jobs={**seen.jobs, "f-a": shown})
    histories = decision.next_status.job_status_list[0].running_histories
    assert [one.state for one in histories] == ["Pending", "Running", "Restarting", "Pending", "Running"]


def test_another_job_of_the_name_begins_anew_and_the_memory_is_bounded():
    cache = WatchedJobs()
    found = children(cache)
    for second in range(40):
        cache.deliver(("Running", time(second)))
    assert len(found.of(UID)["f-a"].earlier) == MAX_EARLIER
    cache.deliver(("Pending", time(50)), uid="other")
    assert found.of(UID)["f-a"].earlier == ()
