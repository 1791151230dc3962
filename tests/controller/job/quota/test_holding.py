"""Which Jobs a quota holds, what they say, and when they start."""

import copy

import pytest

from shared.key import Key
from shared.policy.quota.standing import Standing
from tests.controller.job.quota.quota_cluster import JobQuotaCluster, quota

FIRST, SECOND = Key("a", "demo-first"), Key("a", "demo-second")
WHY = 'at most 1 Job of namespace "a" may run at once (policy "p", limits.maxActiveJobs)'


def two_jobs(**second: object) -> JobQuotaCluster:
    """A Job that has the only place, and one that waits."""
    cluster = JobQuotaCluster(quota(1))
    for key, spec in ((FIRST, {}), (SECOND, second)):
        cluster.create(key, **spec)
        cluster.drain()
    return cluster


def test_a_held_job_has_nothing_says_why_and_starts_when_the_other_has_ended() -> None:
    cluster = two_jobs(activeDeadlineSeconds=60)
    held = cluster.toys[SECOND]
    assert (held.phase, held.reason, held.status.state.message) == ("Pending", "QuotaExceeded", WHY)
    assert held.objects == {}
    assert [(note.reason, note.message) for note in held.notes] == [("QuotaExceeded", WHY)]
    cluster.now += 3600
    cluster.pods(FIRST, "succeed")
    cluster.drain()
    assert cluster.toys[FIRST].phase == "Completed"
    assert held.shown == {"second-w-0": "Pending"}
    assert [note.reason for note in held.notes] == ["QuotaExceeded", "QuotaFree"]


def test_a_place_is_recorded_before_anything_is_created() -> None:
    cluster = JobQuotaCluster(quota(1))
    cluster.create(FIRST)
    cluster.deliver(FIRST)
    toy = cluster.toys[FIRST]
    cluster.reconcile(FIRST)
    assert (toy.writes, toy.phase, toy.reason) == ([], "Pending", "WaitingForPodGroup")
    cluster.drain()
    assert toy.shown == {"first-w-0": "Pending"}


def test_a_restarted_job_keeps_its_place() -> None:
    cluster = two_jobs()
    cluster.order(FIRST, "RestartJob")
    cluster.drain()
    cluster.pods(FIRST, "vanish")
    cluster.drain()
    assert cluster.toys[FIRST].shown == {"first-w-0": "Pending"}
    assert cluster.with_standing(Standing.WAITS) == [SECOND]


def test_an_aborted_job_frees_its_place_when_its_pods_are_gone_and_waits_for_one_when_it_is_resumed() -> None:
    cluster = two_jobs()
    cluster.order(FIRST, "AbortJob")
    cluster.drain()
    assert cluster.with_standing(Standing.HOLDS) == [FIRST], "its pods are still being deleted"
    cluster.pods(FIRST, "vanish")
    cluster.drain()
    assert cluster.with_standing(Standing.HOLDS) == [SECOND]
    cluster.order(FIRST, "ResumeJob")
    cluster.drain()
    first = cluster.toys[FIRST]
    assert (first.phase, first.reason, first.status.state.message, first.group) == (
        "Pending",
        "QuotaExceeded",
        WHY,
        None,
    )
    assert [note.reason for note in first.notes].count("QuotaExceeded") == 1


@pytest.mark.parametrize(("action", "phase"), [("AbortJob", "Aborted"), ("TerminateJob", "Terminated")])
def test_a_held_job_can_be_stopped(action: str, phase: str) -> None:
    cluster = two_jobs()
    cluster.order(SECOND, action)
    cluster.drain()
    assert cluster.toys[SECOND].phase == phase
    assert cluster.with_standing(Standing.WAITS) == []


def test_a_held_job_that_is_restarted_stays_held() -> None:
    cluster = two_jobs()
    cluster.order(SECOND, "RestartJob")
    cluster.drain()
    assert (cluster.toys[SECOND].phase, cluster.toys[SECOND].reason) == ("Pending", "QuotaExceeded")
    assert [note.reason for note in cluster.toys[SECOND].notes].count("QuotaExceeded") == 1


def test_the_oldest_starts_first() -> None:
    cluster = two_jobs()
    third = Key("a", "demo-third")
    cluster.create(third)
    cluster.toys[third].job["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z"
    cluster.drain()
    assert cluster.with_standing(Standing.HOLDS) == [FIRST]
    cluster.delete(FIRST)
    cluster.drain()
    assert cluster.with_standing(Standing.HOLDS) == [third]


def test_a_job_that_is_being_deleted_does_not_count() -> None:
    cluster = two_jobs()
    cluster.delete_in_foreground(FIRST)
    cluster.drain()
    assert cluster.with_standing(Standing.HOLDS) == [SECOND]


def test_a_job_that_cannot_be_read_waits_in_front_of_nobody() -> None:
    cluster = JobQuotaCluster(quota(1))
    broken = Key("a", "demo-broken")
    cluster.create(broken)
    cluster.toys[broken].job["spec"]["tasks"] = "none"
    cluster.deliver(broken)
    cluster.queue.clear()
    cluster.create(SECOND)
    cluster.drain()
    assert cluster.toys[SECOND].shown == {"second-w-0": "Pending"}


def test_a_job_with_pods_that_were_created_before_the_policy_goes_on() -> None:
    cluster = JobQuotaCluster()
    cluster.create(FIRST)
    cluster.drain()
    assert cluster.toys[FIRST].shown == {"first-w-0": "Pending"}
    cluster.toys[FIRST].job = {**copy.deepcopy(cluster.toys[FIRST].job), "status": {}}
    cluster._changed(FIRST)
    cluster.limit("p", 0)
    cluster.drain()
    assert cluster.toys[FIRST].shown == {"first-w-0": "Pending"}
    assert cluster.with_standing(Standing.HOLDS) == [FIRST]


@pytest.mark.parametrize("change", ["the limit", "the policy", "an exception"])
def test_a_job_starts_when_the_policy_changes_before_its_status_says_that_it_is_held(change: str) -> None:
    cluster = JobQuotaCluster(quota(0))
    cluster.create(FIRST)
    cluster.deliver(FIRST)
    cluster.decide_only(FIRST)
    if change == "the limit":
        cluster.limit("p", 1)
    elif change == "the policy":
        cluster.remove_policy("p")
    else:
        cluster.grant_exception(FIRST)
    cluster.write(FIRST)
    cluster.drain()
    assert cluster.toys[FIRST].shown == {"first-w-0": "Pending"}


def test_a_job_of_another_controller_takes_no_place() -> None:
    cluster = JobQuotaCluster(quota(1))
    cluster.create(FIRST, managedBy="kueue.x-k8s.io/multikueue")
    cluster.deliver(FIRST)
    cluster.queue.clear()
    cluster.create(SECOND)
    cluster.drain()
    assert cluster.toys[SECOND].shown == {"second-w-0": "Pending"}
