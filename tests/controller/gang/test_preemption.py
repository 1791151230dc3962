"""Which groups are evicted for which."""

import pytest

from controller.gang.settings import AdmissionSettings
from shared import names
from tests.controller.gang.make import GangCluster, running, template, with_nodes


def test_groups_above_their_share_are_evicted_with_reclaim() -> None:
    for reclaim in (True, False):
        made = with_nodes("8", settings=AdmissionSettings(reclaim=reclaim))
        made.queue("a")
        made.queue("b", weight=2)
        made.submit("old", (template(), 4), queue="a")
        made.now += 1
        made.submit("young", (template(), 4), queue="a")
        made.bind()
        made.submit("claims", (template(), 4), queue="b")
        done = made.round()
        assert [ref.name for ref in done.evict] == (["young"] if reclaim else [])
        if reclaim:
            assert made.round().evict == ()  # once is enough
            made.end("young")
            made.submit("thief", (template(), 4), queue="a")
            made.round()
            assert (made.gated("claims"), made.gated("thief")) == (0, 4)


def test_groups_of_unreclaimable_queues_are_not_evicted() -> None:
    made = with_nodes("8", settings=AdmissionSettings(reclaim=True))
    made.queue("a", reclaimable=False)
    made.queue("b")
    made.submit("held", (template(), 8), queue="a")
    made.bind()
    made.submit("claims", (template(), 2), queue="b")
    assert made.round().evict == ()


def claims(made: GangCluster, count: int, queue: str, **spec: str) -> list[str]:
    """The groups that are evicted for a group of that many pods."""
    made.now += 1
    made.submit(f"claims-{queue}", (template(), count), queue=queue, **spec)
    return [ref.name for ref in made.round().evict]


@pytest.mark.parametrize("nodes", [("100",), ()], ids=["with nodes", "where kube-scheduler judges by nodes"])
def test_groups_are_evicted_where_the_capability_of_the_parent_queue_is_used_up(nodes: tuple[str, ...]) -> None:
    made = with_nodes(*nodes, settings=AdmissionSettings(reclaim=True))
    made.queue("team", capability={"cpu": "8"})
    made.queue("day", parent="team", deserved={"cpu": "4", "pods": "100"}, priority=5)
    made.queue("night", parent="team", deserved={"cpu": "4", "pods": "100"})
    for name in ("old", "young"):
        made.now += 1
        made.submit(name, (template(), 4), queue="day")
        made.round()
        assert made.gated(name) == 0
    assert claims(made, 4, "night") == ["young"]
    for uid in [uid for uid in made.pods if made.pods[uid]["metadata"]["name"].startswith("young")]:
        made.cache.update_pod(made.pods.pop(uid), None)
    for index in range(4):  # made again, and before the claimant by the priority of its queue
        made.pod("young", "t0", index, template())
    made.round()
    assert (made.gated("claims-night"), made.gated("young")) == (0, 4)
    assert made.round().evict == ()


def test_groups_whose_room_does_not_help_are_not_evicted() -> None:
    made = with_nodes("4", "8", settings=AdmissionSettings(reclaim=True))
    made.queue("a", deserved={"cpu": "1"})
    made.queue("b", deserved={"cpu": "8"})
    made.submit("useful", (template("8"), 1), queue="a")
    made.bind()
    running(made, "in-vain", 4, "a")
    made.submit("claims", (template("8"), 1), queue="b")
    assert [ref.name for ref in made.round().evict] == ["useful"]


def test_a_group_may_reclaim_although_one_before_it_may_not() -> None:
    made = with_nodes("8", settings=AdmissionSettings(reclaim=True))
    made.queue("a", deserved={"cpu": "2"})
    made.queue("b", deserved={"cpu": "4"})
    made.queue("first", priority=9, deserved={"cpu": "2"})
    running(made, "held", 8, "a")
    made.submit("too-much", (template(), 3), queue="first")
    assert claims(made, 4, "b") == ["held"]


def test_groups_that_are_not_preemptable_are_not_evicted() -> None:
    made = with_nodes("8", settings=AdmissionSettings(reclaim=True))
    made.queue("a", deserved={"cpu": "2"})
    made.queue("b", deserved={"cpu": "4"})
    running(made, "held", 8, "a")
    for uid, pod in list(made.pods.items()):
        marked = {**pod["metadata"], "annotations": {**pod["metadata"]["annotations"], names.PREEMPTABLE: "false"}}
        made.cache.update_pod(pod, {**pod, "metadata": marked})
        made.pods[uid] = {**pod, "metadata": marked}
    assert claims(made, 4, "b") == []


def test_a_child_queue_reclaims_no_more_than_it_and_its_parent_deserve() -> None:
    made = with_nodes("10", settings=AdmissionSettings(reclaim=True))
    made.queue("rich", deserved={"cpu": "2"})
    made.queue("team", deserved={"cpu": "3"})
    made.queue("child", parent="team", deserved={"cpu": "6"})
    running(made, "held", 10, "rich")
    assert claims(made, 4, "child") == []
    made.end("claims-child")
    assert claims(made, 3, "child") == ["held"]
