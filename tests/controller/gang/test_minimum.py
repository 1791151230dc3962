"""The minimum of a group: pods that do not exist, that come later, and those of earlier versions of the Job."""

import msgspec
import pytest

from controller.decision import Create, Decision, Patch
from shared import names
from shared.key import Key
from shared.kinds import POD, PODGROUP
from tests.controller.gang.make import NAMESPACE, GangCluster, template, with_nodes


def test_the_minimum_grows_when_a_task_is_released() -> None:
    made = with_nodes("4")
    made.submit("g", (template(), 2), minTaskMember={"t0": 2})
    made.bind()
    made.submit("other", (template(), 2))
    made.bind()
    made.finish("g")
    made.change("g", minMember=5, minTaskMember={"t0": 2, "t1": 3})
    for index in range(3):
        made.pod("g", "t1", index, template())
    made.round()
    made.bind()
    assert (made.bound("g"), made.gated("g")) == (2, 3)
    made.end("other")
    made.round()
    made.bind()
    assert made.bound("g") == 5


def test_pods_beyond_the_minimum_start_one_by_one_as_they_fit() -> None:
    made = with_nodes("4")
    made.submit("other", (template(), 1))
    made.bind()
    made.submit("g", (template(), 6), minimum=2)
    made.round()
    made.bind()
    assert (made.bound("g"), made.gated("g")) == (3, 3)
    made.end("other")
    made.round()
    made.bind()
    assert (made.bound("g"), made.gated("g")) == (4, 2)


INCOMPLETE = {
    "too few": ({"minMember": 4}, "2 of 4 pods that must start together exist"),
    "too few of a task": ({"minMember": 2, "minTaskMember": {"t9": 2}}, "0 of 2 pods of task t9 exist"),
}


@pytest.mark.parametrize("case", INCOMPLETE)
def test_a_group_waits_for_pods_that_do_not_exist(case: str) -> None:
    spec, wanted = INCOMPLETE[case]
    made = with_nodes("2")
    made.submit("other", (template("2"), 1))
    made.bind()
    made.submit("g", (template(), 2))
    made.change("g", **spec)
    made.end("other")
    made.round()
    assert made.gated("g") == 2
    assert made.why("g") == wanted


def test_the_gates_of_an_admitted_group_stay_when_a_pod_of_its_minimum_is_gone() -> None:
    made = with_nodes("4")
    made.submit("g", (template(), 3))
    made.gang.run_cycle()  # admitted; no gate is removed yet
    key = Key(NAMESPACE, "g")
    assert len(made.cache.ungating[key]) == 3
    gone = next(uid for uid, pod in made.pods.items() if pod["metadata"]["name"] == "g-t0-1")
    made.cache.update_pod(made.pods.pop(gone), None)
    assert made.cache.ungating == {}
    assert made.cache.used() == {}
    assert made.cache.capacity.free == made.cache.capacity.unbound
    made.round()
    assert made.gated("g") == 2
    assert made.why("g") == "2 of 3 pods that must start together exist"


def test_pods_of_an_earlier_version_of_the_job_do_not_complete_a_minimum() -> None:
    made = with_nodes("4")
    made.submit("g", (template(), 2))
    made.bind()
    for pod in list(made.pods.values()):
        annotations = {**pod["metadata"]["annotations"], names.JOB_VERSION: "0"}
        made.put_pod({**pod, "metadata": {**pod["metadata"], "annotations": annotations}})
    body = made.groups["g"]
    body["metadata"] = {**body["metadata"], "annotations": {names.JOB_VERSION: "1"}}
    made.change("g")
    made.pod("g", "t0", 0, template(), version="1")
    made.round()
    assert made.gated("g") == 1
    assert made.why("g") == "1 of 2 pods that must start together exist"
    assert made.cache.used() == {"default": {"cpu": 2000, "pods": 2}}  # the old pods still use what they use
    made.pod("g", "t0", 1, template(), version="1")
    made.round()
    assert made.gated("g") == 0


def test_pods_of_a_minimum_that_grows_in_the_same_decision_get_the_gate() -> None:
    made = with_nodes("4")
    made.submit("g", (template(), 1))
    made.bind()
    spec = {"minMember": 3}
    change = Patch(PODGROUP, NAMESPACE, "g", [{"op": "add", "path": "/spec/minMember", "value": 3}])
    made.change("g", **spec)
    made.cache.groups[Key(NAMESPACE, "g")] = msgspec.structs.replace(made.cache.groups[Key(NAMESPACE, "g")], minimum=1)
    pods = tuple(Create(POD, made.new_pod("g", "t0", index, template(), "default")) for index in (1, 2))
    decision = Decision(first=(change,), actions=pods)
    assert made.gang.admit_new(decision, NAMESPACE, {}) == decision


LOST = {
    "deleted at once": (),
    "deleted after its grace period": ("terminating",),
    "ended by its kubelet before it is deleted": ("terminating", "failed"),
    "ended with code 0 before it is deleted": ("terminating", "succeeded"),
    "failed, and replaced by a policy": ("has failed",),
    "failed, and replaced by a policy after its grace period": ("has failed", "terminating failed"),
}


def _lose(made: GangCluster, name: str, stages: tuple[str, ...]) -> None:
    """The pod is evicted or deleted, as the API server shows it."""
    uid = next(uid for uid, pod in made.pods.items() if pod["metadata"]["name"] == name)
    for stage in stages:
        pod, phase = made.pods[uid], stage.split()[-1].capitalize().replace("Terminating", "Running")
        leaves = {} if stage == "has failed" else {"deletionTimestamp": "2026-01-02T03:00:00Z"}
        made.put_pod({**pod, "metadata": {**pod["metadata"], **leaves}, "status": {"phase": phase}})
        made.bind()
        made.now += 2
    made.cache.update_pod(made.pods.pop(uid), None)


@pytest.mark.parametrize("stages", LOST.values(), ids=LOST.keys())
@pytest.mark.parametrize("limited", ["queue", "nodes"])
def test_the_place_of_a_lost_pod_is_held_for_the_pod_that_replaces_it(limited: str, stages: tuple[str, ...]) -> None:
    """A group that waits for room must not take it before the lost pod is created again."""
    made = with_nodes("2" if limited == "nodes" else "8")
    made.queue("q", capability={"cpu": "2"} if limited == "queue" else {})
    made.submit("g", (template(), 2), queue="q")
    made.bind()
    made.submit("waits", (template(), 1), queue="q")
    made.bind()
    _lose(made, "g-t0-0", stages)
    made.bind()
    assert (made.bound("g"), made.bound("waits")) == (1, 0)
    made.pod("g", "t0", 0, template())
    made.bind()
    assert (made.bound("g"), made.bound("waits")) == (2, 0)
    made.end("g")
    made.bind()
    assert made.bound("waits") == 1


def test_the_place_of_a_lost_pod_is_free_once_nobody_replaces_it() -> None:
    made = with_nodes("2")
    made.submit("g", (template(), 2))
    made.bind()
    made.submit("waits", (template(), 1))
    made.bind()
    _lose(made, "g-t0-0", ())
    wake = made.round().wake
    assert wake is not None
    assert made.now < wake <= made.now + 5
    made.now = wake
    made.bind()
    assert (made.bound("g"), made.bound("waits")) == (1, 1)


def test_a_place_is_held_as_long_when_its_pod_is_lost_again() -> None:
    made = with_nodes("2")
    made.submit("g", (template(), 2))
    made.bind()
    made.submit("waits", (template(), 1))
    _lose(made, "g-t0-0", ())
    made.bind()
    made.now += 2
    made.pod("g", "t0", 0, template())
    made.bind()
    assert (made.bound("g"), made.bound("waits")) == (2, 0)
    _lose(made, "g-t0-0", ())
    made.bind()
    made.now += 2
    made.bind()
    assert (made.bound("g"), made.bound("waits")) == (1, 0)


def test_the_place_of_a_failed_pod_is_free_once_nobody_replaces_it() -> None:
    made = with_nodes("2")
    made.submit("g", (template(), 2))
    made.bind()
    made.submit("waits", (template(), 1))
    made.bind()
    _fail(made, "g-t0-0")
    made.bind()
    assert made.bound("waits") == 0
    wake = made.round().wake
    assert wake is not None
    assert made.now < wake <= made.now + 5
    made.now = wake
    made.bind()
    assert made.bound("waits") == 1


def test_no_place_is_held_once_a_whole_gang_has_failed() -> None:
    made = with_nodes("2")
    made.submit("g", (template(), 2))
    made.bind()
    made.submit("waits", (template(), 2))
    made.bind()
    for name in ("g-t0-0", "g-t0-1"):
        _fail(made, name)
    made.bind()
    assert made.bound("waits") == 2


def test_the_place_of_a_pod_that_has_succeeded_is_free_at_once() -> None:
    made = with_nodes("3")
    made.submit("g", (template(), 3))
    made.bind()
    made.submit("waits", (template(), 2))
    made.submit("fits", (template(), 1))
    made.bind()
    _fail(made, "g-t0-0")
    _fail(made, "g-t0-1", "Succeeded")
    made.bind()
    assert (made.bound("waits"), made.bound("fits")) == (0, 1)


def _fail(made: GangCluster, name: str, phase: str = "Failed") -> None:
    pod = next(pod for pod in made.pods.values() if pod["metadata"]["name"] == name)
    made.put_pod({**pod, "status": {"phase": phase}})


OTHERWISE_FREE = {
    "pods beyond the minimum": (1, ("g-t0-0",)),
    "a whole gang": (2, ("g-t0-0", "g-t0-1")),
}


@pytest.mark.parametrize("case", OTHERWISE_FREE)
def test_no_place_is_held_for(case: str) -> None:
    minimum, lost = OTHERWISE_FREE[case]
    made = with_nodes("2")
    made.submit("g", (template(), 2), minimum=minimum)
    made.bind()
    made.submit("waits", (template(), 1))
    made.bind()
    for name in lost:
        _lose(made, name, ())
    made.bind()
    assert made.bound("waits") == 1


def test_the_cause_why_pods_beyond_a_minimum_wait_is_kept_until_they_are_admitted() -> None:
    made = with_nodes("8")
    made.queue("q", capability={"pods": "3"})
    made.submit("g", (template(), 5), minimum=2, queue="q")
    made.bind()
    key = Key(NAMESPACE, "g")
    assert made.bound("g") == 3
    assert "queue q uses pods 3 of 3" in made.gang.memory.beyond[key].message
    made.bind()
    assert key in made.gang.memory.beyond
    made.submit("later", (template(), 1))
    made.bind()
    assert made.bound("later") == 1
    made.queue("q", capability={"pods": "9"})
    made.bind()
    assert made.bound("g") == 5
    assert made.gang.memory.beyond == {}
