"""The minimum of a group: pods that do not exist, that come later, and those of earlier versions of the Job."""

import msgspec
import pytest

from controller.decision import Create, Decision, Patch
from shared import names
from shared.key import Key
from shared.kinds import POD, PODGROUP
from tests.controller.gang.make import NAMESPACE, template, with_nodes


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
