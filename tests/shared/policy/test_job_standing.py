"""Which Jobs take or want a place in a quota."""

from typing import Any

import pytest

from shared.policy.quota.job_standing import job_has_ended, job_part, job_rests, job_standing
from shared.policy.quota.standing import Standing


def state(phase: str, reason: str = "", **status: Any) -> dict[str, Any]:
    return {"status": {"state": {"phase": phase, "reason": reason}, **status}}


DELETED = {"name": "j", "deletionTimestamp": "2026-01-02T03:04:05Z"}
OURS = {"tasks": [{"name": "w"}]}
JOBS: dict[str, tuple[dict[str, Any], Standing]] = {
    "a new Job": ({}, Standing.WAITS),
    "one that a quota holds": (state("Pending", "QuotaExceeded"), Standing.WAITS),
    "one that was resumed and is held": (state("Restarting", "QuotaExceeded"), Standing.WAITS),
    "one that waits for nodes": (state("Pending", "WaitingForPodGroup"), Standing.HOLDS),
    "one that waits for its queue": (state("Pending", "QueueNotFound"), Standing.HOLDS),
    "a running Job": (state("Running"), Standing.HOLDS),
    "one that restarts": (state("Restarting", "PodFailed"), Standing.HOLDS),
    "one that stops": (state("Aborting", terminating=2), Standing.HOLDS),
    "one that stopped before it had pods": (state("Aborting"), Standing.IDLE),
    "an aborted Job": (state("Aborted"), Standing.IDLE),
    "an aborted Job whose pod does not go": (state("Aborted", terminating=1), Standing.HOLDS),
    "a suspended Job": (
        {"spec": {"suspend": True}, **state("Aborted", "Suspended", suspended=True)},
        Standing.IDLE,
    ),
    "one that is to be resumed": (state("Aborted", "Suspended", suspended=True), Standing.WAITS),
    "one that was created suspended": ({"spec": {"suspend": True}}, Standing.IDLE),
    "one that its annotation suspends": (
        {"metadata": {"name": "j", "annotations": {"batch.jobflow.dev/suspend": "true"}}},
        Standing.IDLE,
    ),
    "one that is to be suspended": ({"spec": {"suspend": True}, **state("Running")}, Standing.HOLDS),
    "a completed Job": (state("Completed", **OURS), Standing.IDLE),
    "a completed Job with a pod that is being deleted": (state("Completed", terminating=1, **OURS), Standing.HOLDS),
    "one that another controller completed": (state("Completed", running=1), Standing.IDLE),
    "one that is being deleted": (
        {"metadata": {"name": "j", "deletionTimestamp": "2026-01-02T03:04:05Z"}, **state("Running")},
        Standing.IDLE,
    ),
    "one whose deletion waits for its pods": (
        {"metadata": {**DELETED, "finalizers": ["foregroundDeletion"]}, **state("Running", running=1)},
        Standing.IDLE,
    ),
    "a deleted one with pods that a finalizer keeps": (
        {"metadata": {**DELETED, "finalizers": ["example.com/x"]}, **state("Running", running=1)},
        Standing.HOLDS,
    ),
    "a deleted one without pods that a finalizer keeps": (
        {"metadata": {**DELETED, "finalizers": ["example.com/x"]}, **state("Completed")},
        Standing.IDLE,
    ),
    "a deleted one that waits and that a finalizer keeps": (
        {"metadata": {**DELETED, "finalizers": ["example.com/x"]}, **state("Pending", "QuotaExceeded")},
        Standing.IDLE,
    ),
    "one that another controller runs": (
        {"spec": {"managedBy": "kueue.x-k8s.io/multikueue"}, **state("Running")},
        Standing.IDLE,
    ),
    "one that names this controller": ({"spec": {"managedBy": "jobflow.dev/job-controller"}}, Standing.WAITS),
    "malformed parts": ({"spec": "x", "status": {"state": "y", "running": "z"}}, Standing.WAITS),
    "a malformed phase": ({"status": {"state": {"phase": ["Running"]}}}, Standing.IDLE),
}


@pytest.mark.parametrize(("body", "wanted"), JOBS.values(), ids=JOBS)
def test_a_job_has_a_place_until_it_has_ended_and_has_no_pods(body: dict[str, Any], wanted: Standing) -> None:
    job = {"metadata": {"name": "j"}, **body}
    reduced = {"metadata": {key: job["metadata"][key] for key in job["metadata"] if key != "annotations"}}
    assert job_standing(job) is wanted
    assert job_standing({**reduced, **job_part(job)}) is wanted
    assert job_has_ended({**reduced, **job_part(job)}) is job_has_ended(job)


def test_the_part_of_a_job_that_caches_keep_does_not_change_with_the_number_of_its_pods() -> None:
    assert job_part(state("Running", running=1)) == job_part(state("Running", running=2, pending=3))


def test_a_job_of_another_controller_rests_for_quotas() -> None:
    assert job_rests({"metadata": {"annotations": {"batch.jobflow.dev/managed-by": "others.example.com/x"}}})
    assert not job_rests({"metadata": {}})
