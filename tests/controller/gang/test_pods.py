"""What pods may ask for besides resources and nodes."""

from typing import Any

import pytest

from shared import names
from tests.controller.gang.make import template, with_nodes


def apart(**more: Any) -> dict[str, Any]:
    """A template whose pods want no other of their kind on their node."""
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "x"}}, **more}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return {**template(affinity=affinity), "metadata": {"labels": {"app": "x"}}}


def ported(**port: Any) -> dict[str, Any]:
    made = template()
    made["spec"]["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": 8080, **port}]
    return made


EXCLUSIVE = {"anti-affinity": (apart, "pod of its kind"), "host port": (ported, "host port 8080/TCP")}


@pytest.mark.parametrize("case", EXCLUSIVE)
def test_exclusive_resources_of_nodes_are_counted(case: str) -> None:
    pod, words = EXCLUSIVE[case]
    made = with_nodes("5", "5", "5")
    made.submit("four", (pod(), 4))
    made.round()
    assert (made.gated("four"), made.why("four").partition(";")[0]) == (
        4,
        f"never fits: 4 pods that start together need cpu 4, and of each node no more than one {words}",
    )
    made.submit("three", (pod(), 3))
    made.round()
    assert made.gated("three") == 0
    held = [uid for uid, pod in made.pods.items() if "three" in pod["metadata"]["name"]]
    for number, uid in enumerate(held):  # as the scheduler would, one on each node
        bound = made.pods[uid] | {"spec": {**made.pods[uid]["spec"], "nodeName": f"n{number}"}}
        made.cache.update_pod(made.pods[uid], bound)
        made.pods[uid] = bound
    made.submit("one", (pod(), 1))
    made.round()
    assert made.gated("one") == 1
    assert "0 of 1 fit" in made.why("one")
    assert made.cache.used() == {"default": {"cpu": 3000, "pods": 3}}
    made.end("three")
    made.round()
    assert made.gated("one") == 0


def test_other_ports_and_anti_affinity_are_not_counted() -> None:
    others = apart(labelSelector={"matchLabels": {"app": "other"}})
    for pod in (others, apart(topologyKey="zone"), ported(hostPort=0)):
        made = with_nodes("5")
        made.submit("three", (pod, 3))
        made.round()
        assert made.gated("three") == 0


def test_pods_with_node_name_wait_for_room_on_that_node() -> None:
    """A gated pod cannot name a node: the API server would refuse it."""
    made = with_nodes("4", "4")
    made.submit("first", (template(nodeName="n1"), 3))
    made.round()
    assert made.gated("first") == 0
    made.bind()
    made.submit("second", (template(nodeName="n1"), 2))
    made.round()
    assert made.gated("second") == 2
    assert not any(pod["spec"].get("nodeName") for pod in made.pods.values() if "second" in pod["metadata"]["name"])
    assert "free on 1 node: cpu 1" in made.why("second")
    made.end("first")
    made.round()
    made.bind()
    assert {pod["spec"]["nodeName"] for pod in made.pods.values()} == {"n1"}


def test_a_group_waits_while_its_pods_have_gates_of_others() -> None:
    made = with_nodes("4")
    made.submit("g", (template(schedulingGates=[{"name": "example.com/quota"}]), 2))
    made.round()
    assert made.why("g") == "2 pods are blocked by scheduling gate example.com/quota, which jobflow does not manage"
    made.submit("other", (template(), 4))
    made.round()
    assert made.gated("other") == 0  # it blocks no other group
    made.end("other")
    for uid, pod in list(made.pods.items()):
        gates = [each for each in pod["spec"]["schedulingGates"] if each["name"] == names.GANG_GATE]
        made.pods[uid] = pod | {"spec": {**pod["spec"], "schedulingGates": gates}}
        made.cache.update_pod(pod, made.pods[uid])
    made.round()
    assert made.gated("g") == 0
