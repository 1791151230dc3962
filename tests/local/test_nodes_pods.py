"""What a pod of the node stand-in does and reports."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.nodes.kubelet import images
from local.nodes.kubelet.behaviour import ContainerBehaviour, plan
from local.nodes.kubelet.environment import expand, field_value
from local.nodes.kubelet.status import ContainerState, PodFacts, pod_status
from local.nodes.settings import NodeSettings, parse
from shared.model.types import Body

NOW = "2026-01-02T03:04:05Z"
SETTINGS = NodeSettings(kubeconfig=Path("unused"), run_seconds=7.0)
RUNNING = {"running": {"startedAt": NOW}}


def a_pod(annotations: dict[str, str] | None = None, command: list[str] | None = None, **container: Any) -> Body:
    made = {"name": "c", "image": "busybox", "command": command or ["train"]} | container
    meta = {"name": "job-w-1", "namespace": "ns", "uid": "u", "annotations": annotations or {}}
    return {"metadata": meta, "spec": {"containers": [made]}}


def the_plan(pod: Body, run: int = 0, settings: NodeSettings = SETTINGS) -> ContainerBehaviour:
    return plan(pod, pod["spec"]["containers"][0], run, settings)


def behave(**rule: Any) -> dict[str, str]:
    return {"jobflow.dev/behave": json.dumps([rule])}


PLANS = {
    "an unknown command runs the usual time": (a_pod(), ContainerBehaviour(seconds=7)),
    "a plain command is followed": (
        a_pod(command=["sh", "-c", "sleep 3; exit 2"]),
        ContainerBehaviour(seconds=3, exit_code=2),
    ),
    "annotations come first": (
        a_pod({"jobflow.dev/run-seconds": "1", "jobflow.dev/exit-code": "4"}, ["sleep", "9"]),
        ContainerBehaviour(seconds=1, exit_code=4),
    ),
    "of one container only": (a_pod({"jobflow.dev/exit-code.other": "4"}), ContainerBehaviour(seconds=7)),
    "a message": (a_pod({"jobflow.dev/termination-message.c": "hi"}), ContainerBehaviour(seconds=7, message="hi")),
    "a rule for the pod's name": (a_pod(behave(pod="-1$", exitCode=5)), ContainerBehaviour(seconds=7, exit_code=5)),
    "a rule for other pods": (a_pod(behave(pod="-2$", exitCode=5)), ContainerBehaviour(seconds=7)),
    "a process where asked": (a_pod({"jobflow.dev/run-command": "true"}), ContainerBehaviour(process=True)),
}


@pytest.mark.parametrize(("pod", "wanted"), PLANS.values(), ids=PLANS)
def test_the_behaviour_of_a_container(pod: Body, wanted: ContainerBehaviour) -> None:
    assert the_plan(pod) == wanted


def test_the_first_runs_fail_and_later_ones_succeed() -> None:
    pod = a_pod({"jobflow.dev/fail-first": "2"})
    assert [the_plan(pod, run).exit_code for run in range(4)] == [1, 1, 0, 0]


def test_an_annotation_can_disable_processes_for_a_pod() -> None:
    settings = parse(["--kubeconfig", "unused", "--run-commands"])
    assert the_plan(a_pod(), settings=settings).process
    assert not the_plan(a_pod({"jobflow.dev/run-command": "false"}), settings=settings).process


IMAGES: dict[str, tuple[Body, str]] = {
    "a short name": (a_pod(image="busybox"), ""),
    "a registry with a port, a tag and a digest": (a_pod(image=f"reg.io:5000/a/b__c:v1@sha256:{'0' * 64}"), ""),
    "a name marked by its prefix": (a_pod(image="fail/x"), "ErrImagePull"),
    "a pod marked by an annotation": (a_pod({"jobflow.dev/image-pull": "fail"}), "ErrImagePull"),
    "capitals": (a_pod(image="Busybox"), "InvalidImageName"),
    "two tags": (a_pod(image="busybox:1:2"), "InvalidImageName"),
    "a folder above": (a_pod(image="reg.io/../evil"), "InvalidImageName"),
}


@pytest.mark.parametrize(("pod", "reason"), IMAGES.values(), ids=IMAGES)
def test_an_image_can_be_pulled_or_is_reported_as(pod: Body, reason: str) -> None:
    found = images.obstacle(pod, pod["spec"]["containers"][0])
    assert (found.reason if found else "") == reason


def test_a_failed_pull_is_followed_by_a_back_off() -> None:
    found = images.obstacle(a_pod(image="fail/x"), {"name": "c", "image": "fail/x"})
    assert found is not None
    assert (found.waiting(False)["reason"], found.waiting(True)["reason"]) == ("ErrImagePull", "ImagePullBackOff")
    assert found.waiting(True)["message"].startswith('Back-off pulling image "fail/x"')


def ended(code: int) -> Body:
    return {"terminated": {"exitCode": code}}


PHASES: dict[str, tuple[list[Body], bool, str]] = {
    "before anything runs": ([{"waiting": {}}], False, "Pending"),
    "while one runs": ([RUNNING, ended(0)], False, "Running"),
    "between restarts": ([ended(1)], False, "Running"),
    "when all ended well": ([ended(0), ended(0)], True, "Succeeded"),
    "when one ended badly": ([ended(0), ended(3)], True, "Failed"),
}


@pytest.mark.parametrize(("states", "finished", "wanted"), PHASES.values(), ids=PHASES)
def test_the_phase_of_a_pod_follows_from_its_containers(states: list[Body], finished: bool, wanted: str) -> None:
    facts = PodFacts(NOW, "127.0.0.1", "10.244.0.1", finished=finished)
    made = [ContainerState({"name": f"c{index}"}, state=state) for index, state in enumerate(states)]
    assert pod_status(a_pod(), made, facts, NOW)["phase"] == wanted


def test_a_deadline_fails_the_whole_pod() -> None:
    facts = PodFacts(NOW, "127.0.0.1", "10.244.0.1", failure=("DeadlineExceeded", "too long"), finished=True)
    status = pod_status(a_pod(), [ContainerState({"name": "c"}, state=ended(0))], facts, NOW)
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")


def condition(status: Body, kind: str) -> Body:
    return next(each for each in status["conditions"] if each["type"] == kind)


def test_conditions_keep_their_transition_time_and_foreign_ones_are_kept() -> None:
    facts = PodFacts(NOW, "127.0.0.1", "10.244.0.1")
    foreign = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": NOW}
    pod = a_pod() | {"status": {"conditions": [foreign]}}
    state = ContainerState({"name": "c"}, state=RUNNING, ready=True)
    first = pod_status(pod, [state], facts, NOW)
    second = pod_status(pod | {"status": first}, [state], facts, "2030-01-01T00:00:00Z")
    assert second["conditions"] == first["conditions"]
    assert foreign in second["conditions"]
    assert condition(second, "Ready")["status"] == "True"
    state.ready = False
    third = pod_status(pod | {"status": second}, [state], facts, "2030-01-01T00:00:00Z")
    assert condition(third, "Ready")["lastTransitionTime"] == "2030-01-01T00:00:00Z"


EXPANSIONS = {
    "a known name": ("$(A)/x", "1/x"),
    "an unknown name stays": ("$(B)", "$(B)"),
    "an escaped one": ("$$(A)", "$(A)"),
    "a shell's own": ("$A ${A}", "$A ${A}"),
}


@pytest.mark.parametrize(("text", "wanted"), EXPANSIONS.values(), ids=EXPANSIONS)
def test_references_in_commands_and_variables(text: str, wanted: str) -> None:
    assert expand(text, {"A": "1"}) == wanted


FIELDS: dict[str, Callable[[Body], bool]] = {
    "metadata.name": lambda pod: field_value(pod, {}, "metadata.name") == "job-w-1",
    "status.podIP": lambda pod: field_value(pod, {"podIP": "127.10.0.1"}, "status.podIP") == "127.10.0.1",
    "an annotation": lambda pod: field_value(pod, {}, "metadata.annotations['volcano.sh/x']") == "y",
    "a label that is not there": lambda pod: field_value(pod, {}, "metadata.labels['none']") == "",
}


@pytest.mark.parametrize("holds", FIELDS.values(), ids=FIELDS)
def test_the_downward_api(holds: Callable[[Body], bool]) -> None:
    assert holds(a_pod({"volcano.sh/x": "y"}))
