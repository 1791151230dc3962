"""Admission under watches that deliver pods, PodGroups, nodes and queues in any order and with any delay until a silent
watch is replaced.

After every step, by what the API server stores: no queue exceeds its capability, the guarantee of another is kept free, and
no pod is without gate before its group's minimum exists. Pods that run may be lost, and are created again. When all
watches have caught up, the cache agrees with the store.
"""

from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.gang.cache.assumed import BOOKED_SECONDS
from controller.runtime.worker import PASS_SECONDS
from shared.key import Key
from shared.kube.client.api import TIMEOUT_SECONDS
from shared.kube.client.reader import IDLE_SECONDS
from tests.controller.gang.make import NAMESPACE, queue, template
from tests.controller.gang.streams import Simulation, gated

STEPS: Final = (
    "submit", "submit", "create", "create", "create", "refuse", "retry", "cycle", "cycle", "ungate", "ungate", "bind", "finish",
    "lose", "delete", "deliver pod", "deliver group", "deliver node", "deliver queue", "time", "restart", "edit",
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(st.sampled_from(STEPS), min_size=60, max_size=250), seed=st.integers(0, 2**16))
def test_limits_hold_and_gangs_start_as_a_whole_for_any_order_of_watch_events(steps: list[str], seed: int) -> None:
    made = Simulation(seed)
    for step in steps:
        made.step(step)
        made.check()
    made.check_cache()


def test_pods_that_are_seen_before_their_group_count_for_its_queue() -> None:
    """Three Jobs of one CPU in one apply, in a queue that may use two: the third must see the first two."""
    made = Simulation(0)
    made.watched.write("queue", "pair", queue("pair", capability={"cpu": "2"}))
    made.deliver("queue")
    for number in range(3):
        name = f"b{number}"
        made.jobs[name] = {f"{name}-0": made.pod(name, 0, "1", "pair")}
        group = {
            "metadata": {"name": name, "namespace": NAMESPACE, "uid": name},
            "spec": {"minMember": 1, "queue": "pair"},
        }
        made.decide(name, made.backend.group_body(group))
        made.create()
        made.admission.cache.update_group(made.watched.stored["group"][name], None)  # as if not seen yet
    assert [gated(pod) for pod in made.watched.stored["pod"].values()] == [False, False, True]
    assert made.admission.cache.used() == {"pair": {"cpu": 2000, "pods": 2}}
    assert made.admission.usage(Key(NAMESPACE, "b0")) == {"cpu": 1000, "pods": 1}


def booked_pod() -> Simulation:
    """A Job in queue small, which may use 4 CPUs, whose pod of 3 CPUs is to be created without gate."""
    made = Simulation(0)
    made.jobs["b"] = {"b-0": made.pod("b", 0, "3", "small")}
    metadata = {"name": "b", "namespace": NAMESPACE, "uid": "b"}
    made.decide("b", made.backend.group_body({"metadata": metadata, "spec": {"minMember": 1, "queue": "small"}}))
    made.deliver("group", everything=True)
    return made


def lose_answer(made: Simulation) -> None:
    """The pod is created, but the controller does not receive the answer."""
    body = made.creating["b"].popleft()
    assert not gated(body)
    metadata = {**body["metadata"], "uid": "u"}
    made.watched.write("pod", "b-0", {**body, "metadata": metadata, "status": {"phase": "Pending"}})


def used_after_cycle(made: Simulation) -> int:
    """Milli-CPUs of queue small."""
    made.admission.run_cycle()
    return made.admission.cache.used().get("small", {}).get("cpu", 0)


def test_a_pod_created_late_in_a_pass_counts_until_its_watch_delivers_it() -> None:
    made = booked_pod()
    made.wait(PASS_SECONDS - 1)
    lose_answer(made)
    made.wait(IDLE_SECONDS - 1)
    assert used_after_cycle(made) == 3000
    assert made.watched.waiting["pod"]
    made.wait(1)
    assert not made.watched.waiting["pod"]
    made.wait(BOOKED_SECONDS)
    assert used_after_cycle(made) == 3000


def test_a_pod_that_a_retry_creates_counts_from_the_retry_on() -> None:
    made = booked_pod()
    made.wait(BOOKED_SECONDS - 1)
    made.decide("b")
    lose_answer(made)
    made.wait(IDLE_SECONDS - 1)
    assert made.watched.waiting["pod"]
    assert used_after_cycle(made) == 3000


def test_room_for_a_pod_that_was_never_created_is_free_after_the_longest_pass_request_and_watch() -> None:
    made = booked_pod()
    made.wait(PASS_SECONDS + TIMEOUT_SECONDS + IDLE_SECONDS - 1)
    assert used_after_cycle(made) == 3000
    made.wait(1)
    assert used_after_cycle(made) == 0


def test_a_pod_that_is_created_with_other_requests_than_were_booked_waits_for_its_turn() -> None:
    made = booked_pod()
    made.creating["b"].clear()  # the answer is not known, and the create was not carried out
    made.jobs["b"] = {"b-0": made.pod("b", 0, "5", "small")}
    made.decide("b")
    made.create()
    made.deliver("pod", everything=True)
    assert gated(made.watched.stored["pod"]["b-0"])
    assert used_after_cycle(made) == 0


def test_a_pod_that_is_stored_with_more_than_was_booked_counts_as_it_is_stored() -> None:
    """The webhook of somebody else adds a container; from then on, pods of the namespace get the gate."""
    made = booked_pod()
    body = made.creating["b"].popleft()
    spec = {**body["spec"], "containers": template("4")["spec"]["containers"]}
    stored = {**body, "spec": spec, "metadata": {**body["metadata"], "uid": "u"}, "status": {"phase": "Pending"}}
    made.watched.write("pod", "b-0", stored)
    made.deliver("pod", everything=True)
    assert used_after_cycle(made) == 4000
    made.jobs["c"] = {"c-0": made.pod("c", 0, "1", "default")}
    metadata = {"name": "c", "namespace": NAMESPACE, "uid": "c"}
    made.decide("c", made.backend.group_body({"metadata": metadata, "spec": {"minMember": 1, "queue": "default"}}))
    assert [gated(pod) for pod in made.creating["c"]] == [True]
