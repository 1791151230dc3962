"""Which groups start, which wait, and what their conditions say."""

import pytest

from controller.gang.settings import AdmissionSettings
from tests.controller.gang.make import NAMESPACE, GangCluster, running, template, with_nodes


def test_two_gangs_of_ten_on_room_for_fifteen() -> None:
    made = with_nodes("5", "5", "5")
    made.submit("first", (template(), 10))
    made.submit("second", (template(), 10))
    for _ in range(3):
        made.round()
        made.bind()
        assert made.bound("first") == 10
        assert (made.bound("second"), made.gated("second")) == (0, 10)
    assert made.why("second") == ("10 pods that start together need cpu 10; free on 3 nodes: cpu 5, pods 320")
    made.end("first")
    made.round()
    made.bind()
    assert (made.bound("second"), made.gated("second")) == (10, 0)


@pytest.mark.parametrize(("pods", "minimum", "gated"), [(1, 1, 0), (3, 1, 0), (2, 2, 2), (3, 2, 3)])
def test_pods_that_fit_at_once_are_created_without_gate_only_where_each_may_run_alone(
    pods: int, minimum: int, gated: int
) -> None:
    made = with_nodes("5")
    made.submit("g", (template(), pods), minimum=minimum)
    assert made.gated("g") == gated
    assert made.groups["g"]["status"]["phase"] == ("Pending" if gated else "Inqueue")
    made.round()
    assert made.gated("g") == 0


def test_a_new_group_does_not_start_before_a_waiting_one_of_its_queue() -> None:
    made = with_nodes("4")
    made.submit("running", (template(), 2))
    made.bind()
    made.submit("large", (template(), 4))
    made.submit("small", (template(), 1))
    assert made.gated("small") == 1
    made.round()
    assert made.gated("small") == 0  # traverse: the large one lets it pass


def test_in_a_fifo_queue_no_group_passes_the_first() -> None:
    made = with_nodes("4")
    made.queue("line", dequeueStrategy="fifo")
    made.submit("running", (template(), 2))
    made.bind()
    made.submit("large", (template(), 4), queue="line")
    made.submit("small", (template(), 1), queue="line")
    made.submit("elsewhere", (template(), 1))
    made.round()
    assert made.gated("small") == 1
    assert made.why("small") == "waits behind ns/large in queue line"
    assert made.gated("elsewhere") == 0


def test_the_message_of_a_single_pod_speaks_of_one_pod_and_one_node() -> None:
    made = with_nodes("4")
    made.submit("one", (template(cpu="5"), 1))
    made.round()
    assert made.why("one") == (
        "never fits: 1 pod needs cpu 5; 0 would fit if the only node of this cluster was empty; "
        "no node has cpu 5, the largest has 4"
    )


TAINT = {"key": "bad", "value": "x", "effect": "NoExecute"}
TAINTED = {
    "of one pod's node": (
        template(nodeSelector={"disk": "a"}), 1, {"a": [TAINT]},
        ("0 would fit if the 2 nodes of this cluster were empty; every node that matches nodeSelector and affinity has a taint "
        "that the pods do not tolerate: bad=x:NoExecute"),
    ),
    "of all nodes": (
        template(), 1, {"a": [TAINT], "b": [{"key": "gpu", "effect": "NoSchedule"}]},
        ("0 would fit if the 2 nodes of this cluster were empty; every node has a taint that the pods do not tolerate: "
        "bad=x:NoExecute, gpu:NoSchedule"),
    ),
    "of one node of two": (
        template(), 6, {"a": [TAINT]},
        ("4 would fit if the 2 nodes of this cluster were empty; 1 node has taints that the pods do not tolerate: "
        "bad=x:NoExecute"),
    ),
    "that is tolerated": (
        template(tolerations=[{"operator": "Exists"}]), 9, {"a": [TAINT]},
        "8 would fit if the 2 nodes of this cluster were empty",
    ),
    "that passes with the condition of the node": (
        template(), 9, {"a": [{"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}]},
        "8 would fit if the 2 nodes of this cluster were empty",
    ),
    "beside a label and an affinity that no node has both": (
        template(nodeSelector={"disk": "a"}, affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["b"]}]}]}}}), 1, {},
        ("0 would fit if the 2 nodes of this cluster were empty; no node has both the labels of the nodeSelector and the "
        "required node affinity"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TAINTED)
def test_a_group_that_never_fits_names_the_taints(case: str) -> None:
    pod, number, taints, said = TAINTED[case]
    made = GangCluster()
    for name in ("a", "b"):
        made.node(name, "4", labels={"disk": name}, taints=taints.get(name, ()))
    made.submit("g", (pod, number))
    made.round()
    assert made.why("g").startswith("never fits: ")
    assert made.why("g").partition("; ")[2] == said


IMPOSSIBLE = {
    "no node is large enough": ({"cpu": "100"}, {}, "never fits: 2 pods that start together need cpu 200; 0 would fit if the 2 nodes of this cluster were empty; no node has cpu 100, the largest has 4"),
    "no node has the label": ({"nodeSelector": {"gpu": "yes"}}, {}, "never fits: 2 pods that start together need cpu 2; 0 would fit if the 2 nodes of this cluster were empty; no node has the labels gpu=yes (nodeSelector)"),
    "no node matches the affinity": (
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]}}}}, {},
        "never fits: 2 pods that start together need cpu 2; 0 would fit if the 2 nodes of this cluster were empty; no node matches the required node affinity",
    ),
    "no node has the name": (
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["lost"]}]}]}}}}, {},
        "never fits: 2 pods that start together need cpu 2; 0 would fit if the 2 nodes of this cluster were empty; no node is called lost",
    ),
    "the queue is too small": (
        {"cpu": "2"}, {"queue": "tiny"},
        "never fits: 2 pods that start together need cpu 4, queue tiny may use 1 (spec.capability)",
    ),
    "there is no such queue": ({}, {"queue": "lost"}, "queue lost does not exist"),
}  # fmt: skip


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_a_gang_never_starts_and_says_why_when(case: str) -> None:
    spec, more, wanted = IMPOSSIBLE[case]
    made = with_nodes("4", "4", settings=AdmissionSettings(reserve_after=60.0))
    made.queue("tiny", capability={"cpu": "1"})
    made.submit("g", (template(**spec), 2), **more)
    made.now += 600
    made.round()
    assert made.gated("g") == 2
    assert made.why("g").startswith(wanted)
    made.submit("other", (template(), 8))
    made.round()
    assert made.gated("other") == 0  # it does not block others


PLACES = {
    "a node selector": ({"nodeSelector": {"disk": "ssd"}}, True),
    "another node selector": ({"nodeSelector": {"disk": "hdd"}}, False),
    "node affinity": (
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "disk", "operator": "NotIn", "values": ["hdd"]}]}]}}}}, True,
    ),
    "affinity to a size": (
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "size", "operator": "Gt", "values": ["8"]}]}]}}}}, False,
    ),
    "a term without anything": (
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}}}, False,
    ),
    "a toleration": ({"nodeSelector": {"pool": "gpu"}, "tolerations": [{"key": "gpu", "operator": "Exists"}]}, True),
    "the wrong toleration": ({"nodeSelector": {"pool": "gpu"}, "tolerations": [{"key": "gpu", "value": "no"}]}, False),
}  # fmt: skip


@pytest.mark.parametrize("case", PLACES)
def test_a_gang_needs_nodes_that_its_pods_may_go_to(case: str) -> None:
    spec, starts = PLACES[case]
    made = GangCluster()
    made.node("plain", "4", labels={"disk": "ssd", "size": "4"})
    made.node("gpu", "4", labels={"pool": "gpu"}, taints=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}])
    made.submit("g", (template(**spec), 2))
    made.round()
    made.bind()
    assert made.bound("g") == (2 if starts else 0)


def test_without_nodes_only_queues_limit_what_starts() -> None:
    made = GangCluster()
    made.queue("small", capability={"cpu": "1"})
    made.submit("g", (template("500"), 3))
    made.submit("over", (template("2"), 1), queue="small")
    made.round()
    assert (made.gated("g"), made.gated("over")) == (0, 1)


def test_the_capability_of_a_parent_queue_limits_its_children() -> None:
    made = with_nodes("16")
    made.queue("team", capability={"cpu": "4"})
    made.queue("a", parent="team")
    made.queue("b", parent="team")
    made.submit("one", (template(), 3), queue="a")
    made.bind()
    made.submit("two", (template(), 2), queue="b")
    made.round()
    assert made.gated("two") == 2
    assert made.why("two") == ("queue team uses cpu 3 of 4 (spec.capability), 2 pods that start together need 2 more")
    made.finish("one")
    made.round()
    assert made.gated("two") == 0


def test_a_guarantee_is_kept_free_for_its_queue() -> None:
    made = with_nodes("8")
    made.queue("sure", guarantee={"resource": {"cpu": "4"}}, deserved={"cpu": "4"})
    made.submit("greedy", (template(), 6))
    made.round()
    assert made.gated("greedy") == 6
    assert "cpu 4 is kept for the guarantee of other queues, 8 is free, 6 is needed" in made.why("greedy")
    made.submit("entitled", (template(), 4), queue="sure")
    made.round()
    assert made.gated("entitled") == 0


def test_queues_are_ordered_by_priority_and_then_by_share() -> None:
    made = with_nodes("6")
    for name, weight, priority in (("rich", 3, 0), ("poor", 1, 0), ("urgent", 1, 5)):
        made.queue(name, weight=weight, priority=priority)
    made.submit("blocker", (template("6"), 1))
    made.bind()
    for name in ("poor", "rich", "urgent"):
        for number in range(2):
            made.now += 1
            made.submit(f"{name}{number}", (template(), 1), queue=name)
    made.end("blocker")
    made.round()
    started = made.admitted[1:]
    assert started[:2] == ["urgent0", "urgent1"]
    assert set(started[2:4]) == {"poor0", "rich0"}
    assert started[4:] == ["rich1", "poor1"]


def test_large_groups_are_not_starved_by_small_ones() -> None:
    made = with_nodes("4", "4", settings=AdmissionSettings(reserve_after=60.0))
    for number in range(8):
        made.submit(f"s{number}", (template(), 1))
    made.bind()
    made.submit("large", (template("4"), 2))
    reported = 0
    for number in range(8, 40):
        made.now += 10
        made.submit(f"s{number}", (template(), 1))
        made.end(f"s{number - 8}")
        made.round()
        made.bind()
        if made.bound("large"):
            break
        waiting = [made.why(name) for name in made.groups if made.gated(name) and name != "large"]
        assert all("; more is reserved for ns/large" in why for why in waiting if "free on" in why)
        reported += len(waiting)
    assert reported
    assert made.bound("large") == 2
    assert made.now - 1_767_322_800 <= 60 + 10 * 9


def test_small_groups_do_not_starve_a_large_one_of_what_its_queue_may_use() -> None:
    made = with_nodes("100", settings=AdmissionSettings(reserve_after=60.0))
    made.queue("capped", capability={"cpu": "10"})
    running(made, "running", 6, "capped")
    made.submit("large", (template(), 10), queue="capped")
    made.round()
    made.now += 61
    made.round()
    for number in range(3):
        made.submit(f"small-{number}", (template(), 1), queue="capped")
        made.round()
        assert made.gated(f"small-{number}") == 1
        assert made.why(f"small-{number}") == "waits behind ns/large in queue capped"
    made.end("running")
    made.round()
    assert made.gated("large") == 0


def test_a_restarted_controller_computes_the_same_capacity() -> None:
    made = with_nodes("4", "4")
    made.submit("running", (template(), 3))
    made.bind()
    made.submit("unbound", (template(), 2))
    made.round()
    made.submit("waits", (template(), 6))
    again = GangCluster()
    for name, node in made.nodes.items():
        again.nodes[name] = node
        again.cache.update_node(None, node)
    for pod in made.pods.values():  # the watch delivers pods before groups
        again.cache.update_pod(None, pod)
    for group in made.groups.values():
        again.cache.update_group(None, group)
    made.round()
    again.gang.run_cycle()
    assert again.cache.used() == made.cache.used()
    assert sum(room["cpu"] for room in again.cache.capacity.free.values()) == 3000
    assert again.cache.waiting == made.cache.waiting


def test_a_gang_that_fits_in_total_but_on_no_nodes_waits_with_a_message() -> None:
    made = with_nodes("3", "3", "3")
    for number in range(3):
        made.submit(f"s{number}", (template("1500m"), 1))
        made.bind()
    made.submit("g", (template("2"), 2))
    made.round()
    assert made.gated("g") == 2
    assert "free on 3 nodes: cpu 4500m" in made.why("g")
    assert made.why("g").endswith("; 0 of 2 fit") or made.why("g").endswith("; 1 of 2 fit")


def test_where_a_limit_range_may_add_requests_pods_are_created_with_the_gate() -> None:
    made = with_nodes("8")
    made.queue("pair", capability={"cpu": "2"})
    limits = {"metadata": {"name": "defaults", "namespace": NAMESPACE}}
    made.cache.update_limit_range(None, limits)
    made.submit("j", (template(), 1), queue="pair")
    assert made.gated("j") == 1
    made.round()
    assert made.gated("j") == 0
    made.cache.update_limit_range(limits, None)
    made.submit("k", (template(), 1), queue="pair")
    assert made.gated("k") == 0


def test_pods_of_a_runtime_class_may_gain_its_overhead_and_get_the_gate() -> None:
    made = with_nodes("8")
    made.submit("j", (template(runtimeClassName="kata"), 1))
    assert made.gated("j") == 1
    made.round()
    made.submit("k", (template(runtimeClassName="kata", overhead={"cpu": "1"}), 1))
    assert made.gated("k") == 0


def test_a_group_that_waits_for_pods_to_be_bound_names_one_that_cannot_be() -> None:
    made = with_nodes("4")
    made.submit("stuck", (template(cpu="500m"), 1))
    made.round()
    made.submit("full", (template(), 4))
    made.submit("waits", (template(cpu="3500m"), 1))
    made.round()
    assert made.why("waits") == "capacity is available; waiting for 1 admitted pod to be bound"
    pod = next(pod for pod in made.pods.values() if pod["metadata"]["name"] == "stuck-t0-0")
    why = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "claim c not found"}
    made.put_pod({**pod, "status": {"phase": "Pending", "conditions": [why]}})
    made.round()
    assert made.why("waits").endswith("; the scheduler cannot bind pod ns/stuck-t0-0")
    made.put_pod({**pod, "spec": {**pod["spec"], "nodeName": "n0"}, "status": {"phase": "Running"}})
    made.round()
    assert "cannot bind" not in made.why("waits")
