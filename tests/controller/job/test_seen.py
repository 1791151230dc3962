"""Which fields of a pod are read."""

from typing import Any

import pytest

from controller.job.model.observed import PodObservation, observe_pod
from shared.model.phases import PodPhase
from shared.timestamp import epoch


def read(
    metadata: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **spec: Any
) -> PodObservation | None:
    marks = {"volcano.sh/task-spec": "w", "volcano.sh/task-index": "3", "volcano.sh/job-version": "2"}
    named = {"name": "demo-w-3", "uid": "u", "annotations": marks, **(metadata or {})}
    return observe_pod({"metadata": named, "spec": spec, "status": status or {}})


def ended(code: int, at: str = "2026-01-02T03:00:00Z", **more: Any) -> dict[str, Any]:
    return {"state": {"terminated": {"exitCode": code, "finishedAt": at}}, **more}


def test_task_and_index_of_a_pod_come_from_its_labels() -> None:
    pod = read()
    assert pod is not None
    assert (pod.task, pod.index, pod.version, pod.phase) == ("w", 3, 2, PodPhase.PENDING)


@pytest.mark.parametrize(
    "annotations", [{}, {"volcano.sh/task-spec": "w"}, {"volcano.sh/task-spec": "w", "volcano.sh/task-index": "x"}]
)
def test_a_pod_without_task_and_index_is_ignored(annotations: dict[str, str]) -> None:
    assert read({"annotations": annotations}) is None


def test_an_unknown_phase_is_unknown() -> None:
    pod = read(status={"phase": "Dreaming"})
    assert pod is not None
    assert pod.phase is PodPhase.UNKNOWN


def test_the_exit_code_is_that_of_the_first_container_and_restarts_are_summed() -> None:
    statuses = [ended(0, restartCount=1), ended(3, "2026-01-02T03:00:09Z", restartCount=2)]
    pod = read(
        status={"phase": "Failed", "containerStatuses": statuses, "initContainerStatuses": [{"restartCount": 4}]}
    )
    assert pod is not None
    assert (pod.exit_code, pod.restarts, pod.ended) == (0, 7, epoch("2026-01-02T03:00:09Z"))


def test_a_pod_is_ready_when_every_container_is() -> None:
    for flags, ready in (([True, True], True), ([True, False], False), ([], True)):
        pod = read(status={"phase": "Running", "containerStatuses": [{"ready": flag} for flag in flags]})
        assert pod is not None
        assert pod.ready is ready


DELETED = {
    "it ran when it was deleted": ({}, "Running", [], True, False),
    "it failed while it was being killed": ({}, "Failed", [ended(143, "2026-01-02T03:00:20Z")], True, False),
    "it had failed before": ({}, "Failed", [ended(1, "2026-01-02T02:59:00Z")], False, True),
    "it had succeeded before": ({}, "Succeeded", [ended(0, "2026-01-02T03:00:00Z")], False, True),
    "nothing tells when it ended": ({}, "Failed", [], True, False),
}


@pytest.mark.parametrize(("more", "phase", "statuses", "terminating", "finished"), DELETED.values(), ids=DELETED.keys())
def test_a_result_counts_if_it_came_before_the_deletion(
    more: dict[str, Any], phase: str, statuses: list[Any], terminating: bool, finished: bool
) -> None:
    metadata = {"deletionTimestamp": "2026-01-02T03:00:30Z", "deletionGracePeriodSeconds": 30}
    pod = read(metadata, {"phase": phase, "containerStatuses": statuses})
    assert pod is not None
    assert (pod.terminating, pod.finished) == (terminating, finished)


AT_LAST = {
    "it failed while it was being killed": ("Failed", 143, "2026-01-02T03:00:28Z", False),
    "it succeeded while it was being ended": ("Succeeded", 0, "2026-01-02T03:00:28Z", False),
    "it had failed long before": ("Failed", 1, "2026-01-02T02:59:00Z", True),
    "it had succeeded long before": ("Succeeded", 0, "2026-01-02T02:59:00Z", True),
}


@pytest.mark.parametrize(("phase", "code", "at", "finished"), AT_LAST.values(), ids=AT_LAST.keys())
def test_the_end_of_a_deletion_does_not_hide_when_it_began(phase: str, code: int, at: str, finished: bool) -> None:
    """The kubelet deletes the pod again without grace when its containers have ended, which moves deletionTimestamp."""
    metadata = {"deletionTimestamp": "2026-01-02T03:00:30Z", "deletionGracePeriodSeconds": 0}
    status = {"phase": phase, "containerStatuses": [ended(code, at)]}
    pod = read(metadata, status, terminationGracePeriodSeconds=30)
    assert pod is not None
    assert (pod.finished, pod.terminating) == (finished, not finished)


def test_a_failure_in_the_second_of_the_deletion_counts_as_an_eviction() -> None:
    metadata = {"deletionTimestamp": "2026-01-02T03:00:30Z", "deletionGracePeriodSeconds": 30}
    for phase, code, finished in (("Failed", 143, False), ("Succeeded", 0, True)):
        pod = read(metadata, {"phase": phase, "containerStatuses": [ended(code, "2026-01-02T03:00:00Z")]})
        assert pod is not None
        assert (pod.finished, pod.terminating) == (finished, not finished)
