"""PodGroup status: phases, counters, conditions and their times."""

import jsonpatch
import pytest

from controller.gang.backends.detect import detect
from controller.gang.cache.pending_group import NOT_ENOUGH_RESOURCES, Inadmissible
from controller.gang.cache.pod import Ungating, pod_info_of
from controller.gang.cache.pod_counts import GroupPodCounts
from controller.gang.cache.pod_group import PodGroupInfo, pod_group_info_of
from controller.gang.podgroup import phase
from controller.gang.podgroup.ungate import pinned_affinity, ungate_patch
from shared import names
from tests.controller.gang.make import NOW


def tally(**counts: int) -> GroupPodCounts:
    made = GroupPodCounts()
    for name, value in counts.items():
        setattr(made, name, value)
    return made


def group(stored: str = "Pending", minimum: int = 2) -> PodGroupInfo:
    return pod_group_info_of(
        {"metadata": {"name": "g", "namespace": "ns"}, "spec": {"minMember": minimum}, "status": {"phase": stored}}
    )


PHASES = {
    "new, nothing there": ("Pending", {}, False, "Pending"),
    "gated": ("Pending", {"pods": 2, "gated": 2}, False, "Pending"),
    "just admitted": ("Pending", {"pods": 2, "gated": 2}, True, "Inqueue"),
    "let go, none bound": ("Inqueue", {"pods": 2, "unbound": 2}, False, "Inqueue"),
    "let go, one bound": ("Inqueue", {"pods": 2, "unbound": 1, "scheduled": 1, "running": 1}, False, "Inqueue"),
    "admitted before its pods exist": ("Inqueue", {}, False, "Inqueue"),
    "all bound": ("Inqueue", {"pods": 2, "scheduled": 2}, False, "Running"),
    "all finished": ("Running", {"pods": 2, "scheduled": 2, "finished": 2, "succeeded": 2}, False, "Completed"),
    "enough bound, one more waits": ("Running", {"pods": 3, "scheduled": 2, "running": 2, "gated": 1}, False, "Running"),
    "one lost, to be bound again": ("Running", {"pods": 2, "scheduled": 1, "running": 1, "unbound": 1}, False, "Running"),
    "one lost, no room for another": ("Running", {"pods": 2, "scheduled": 1, "running": 1, "unbound": 1, "unschedulable": 1}, False, "Unknown"),
    "room again": ("Unknown", {"pods": 2, "scheduled": 2, "running": 2}, False, "Running"),
    "put back": ("Inqueue", {"pods": 2, "gated": 2}, False, "Pending"),
}  # fmt: skip


@pytest.mark.parametrize("case", PHASES)
def test_the_phase_of_a_group_that_is(case: str) -> None:
    stored, counts, granted, wanted = PHASES[case]
    assert phase.phase(phase.GroupObservation(group(stored), tally(**counts), admitted=granted)) == wanted


def test_running_pods_are_written_also_when_there_are_none() -> None:
    """`kubectl get` shows nothing where the number is absent."""
    status = phase.status(phase.GroupObservation(group(), tally(pods=2, gated=2)), NOW)
    assert status == {"phase": "Pending", "running": 0}


def test_conditions_come_and_go_and_keep_their_time() -> None:
    refusal = Inadmissible(NOT_ENOUGH_RESOURCES, "2 pods need cpu 3")
    waits = phase.status(phase.GroupObservation(group(), tally(pods=2, gated=2), refusal), NOW)
    assert [(each["type"], each["status"], each["message"]) for each in waits["conditions"]] == [
        ("Unschedulable", "True", "2 pods need cpu 3")
    ]
    stored = pod_group_info_of({"metadata": {"name": "g"}, "spec": {"minMember": 2}, "status": waits})
    again = phase.status(
        phase.GroupObservation(
            stored, tally(pods=2, gated=2), Inadmissible(NOT_ENOUGH_RESOURCES, "2 pods need cpu 2500m")
        ),
        NOW + 60,
    )
    assert again["conditions"][0]["lastTransitionTime"] == waits["conditions"][0]["lastTransitionTime"]
    assert not phase.differs(waits, again)
    assert phase.messages_differ(waits, again)
    other_cause = Inadmissible(NOT_ENOUGH_RESOURCES, "waits behind ns/g")
    other = phase.status(phase.GroupObservation(stored, tally(pods=2, gated=2), other_cause), NOW + 60)
    assert phase.differs(waits, other)
    runs = phase.status(phase.GroupObservation(stored, tally(pods=2, scheduled=2, running=2)), NOW + 60)
    assert {each["type"]: each["status"] for each in runs["conditions"]} == {
        "Unschedulable": "False",
        "Scheduled": "True",
    }
    assert runs["running"] == 2
    assert phase.differs(waits, runs)


LOST = {
    "one pod that replaces a lost one": (
        "Running",
        tally(pods=2, scheduled=1, running=1, gated=1),
        "1 pod waits: no room",
    ),
    "two of them": ("Inqueue", tally(pods=4, scheduled=2, running=2, gated=2), "2 pods wait: no room"),
    "none is needed": ("Running", tally(pods=5, scheduled=4, running=4, gated=1), ""),
}


@pytest.mark.parametrize("case", LOST)
def test_a_started_group_says_why_pods_that_replace_lost_ones_wait(case: str) -> None:
    stored, counts, message = LOST[case]
    refusal = Inadmissible(NOT_ENOUGH_RESOURCES, "no room")
    minimum = 4 if counts.pods > 2 else 2
    status = phase.status(phase.GroupObservation(group(stored, minimum), counts, refusal), NOW)
    stuck = [
        each["message"] for each in status["conditions"] if (each["type"], each["status"]) == ("Unschedulable", "True")
    ]
    assert (status["phase"], stuck) == (stored, [message] if message else [])


BACKENDS = {
    "Volcano is there": (["apps", "topology.volcano.sh"], {"v1beta1": ["workloads", "podgroups"]}, "volcano"),
    "only our own kinds": (["batch.volcano.sh", "scheduling.volcano.sh", "scheduling.k8s.io"], {}, "gate"),
    "beta": (["scheduling.k8s.io"], {"v1beta1": ["podgroups", "workloads", "podgroups/status"]}, "native"),
    "alpha, which the scheduler may not heed": (
        ["scheduling.k8s.io"],
        {"v1alpha2": ["podgroups", "workloads"]},
        "gate",
    ),
    "the first alpha, which has no groups": (["scheduling.k8s.io"], {"v1alpha1": ["workloads"]}, "gate"),
    "nothing": ([], {}, "gate"),
}


@pytest.mark.parametrize("case", BACKENDS)
def test_auto_chooses_the_backend_by_what_the_cluster_serves(case: str) -> None:
    groups, native, wanted = BACKENDS[case]
    assert detect(groups, native)[0] == wanted


def pod(*gates: str, **spec: object) -> dict[str, object]:
    listed = [{"name": gate} for gate in gates]
    return {
        "metadata": {"name": "p", "namespace": "ns", "uid": "u", "annotations": {names.GROUP_NAME: "g"}},
        "spec": {"schedulingGates": listed, **spec},
    }


def test_only_our_gate_is_removed() -> None:
    body = pod("other/gate", names.GANG_GATE)
    patched = jsonpatch.apply_patch(body, ungate_patch(Ungating(pod_info_of(body)), body).patch)
    assert patched["spec"] == {"schedulingGates": [{"name": "other/gate"}]}


def test_a_pod_is_pinned_to_its_node_in_every_affinity_term() -> None:
    key = "requiredDuringSchedulingIgnoredDuringExecution"
    field = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
    expressions = [[{"key": "a", "operator": "Exists"}], [{"key": "b", "operator": "Exists"}]]
    had = {
        "podAffinity": {},
        "nodeAffinity": {key: {"nodeSelectorTerms": [{"matchExpressions": e} for e in expressions]}},
    }
    terms = pinned_affinity("n1", had)["nodeAffinity"][key]["nodeSelectorTerms"]
    assert terms == [{"matchExpressions": each, "matchFields": [field]} for each in expressions]
    body = pod(names.GANG_GATE)
    patched = jsonpatch.apply_patch(body, ungate_patch(Ungating(pod_info_of(body), "n1"), body).patch)
    assert patched["spec"]["affinity"]["nodeAffinity"][key]["nodeSelectorTerms"] == [{"matchFields": [field]}]
    assert patched["spec"]["schedulingGates"] == []


BEYOND = {
    "one waits": (tally(pods=3, scheduled=2, running=2, gated=1), "1 pod beyond the minimum waits: no room"),
    "two wait": (tally(pods=4, scheduled=2, running=2, gated=2), "2 pods beyond the minimum wait: no room"),
    "none waits": (tally(pods=2, scheduled=2, running=2), ""),
}


@pytest.mark.parametrize("case", BEYOND)
def test_a_running_group_says_why_pods_beyond_its_minimum_wait(case: str) -> None:
    counts, message = BEYOND[case]
    why = Inadmissible(NOT_ENOUGH_RESOURCES, "no room")
    status = phase.status(phase.GroupObservation(group("Running"), counts, beyond=why), NOW)
    said = [
        (each["status"], each.get("message", "")) for each in status["conditions"] if each["type"] == "Unschedulable"
    ]
    assert (status["phase"], said) == ("Running", [("False", message)] if message else [])
