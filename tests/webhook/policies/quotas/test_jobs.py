"""`limits.maxActiveJobs` at admission."""

import msgspec
import pytest

from shared.model.types import Body
from tests.webhook.make import flow, job, known, review, step
from tests.webhook.policies.make import judged, labelled, namespace, policy
from webhook.envelope.review import ALLOWED
from webhook.policies.quotas import RecentObjects
from webhook.verdict.admit import validate

ONE = policy(limits={"maxActiveJobs": 1})


def other(phase: str = "Running", reason: str = "", name: str = "other", **status: object) -> Body:
    return {**job(name=name), "status": {"state": {"phase": phase, "reason": reason}, **status}}


OF_A_FLOW: Body = {
    "apiVersion": "flow.volcano.sh/v1alpha1",
    "kind": "JobFlow",
    "name": "f",
    "uid": "u",
    "controller": True,
}


def owned(manifest: Body) -> Body:
    return {**manifest, "metadata": {**manifest["metadata"], "ownerReferences": [OF_A_FLOW]}}


COUNTED: dict[str, tuple[Body, bool]] = {
    "one that was just created": (job(name="other"), True),
    "a running one": (other(), True),
    "one that a quota holds": (other("Pending", "QuotaExceeded"), True),
    "one of a flow": (owned(other()), True),
    "one that stops": (other("Aborting", terminating=1), True),
    "one that has ended": (other("Completed", tasks=[{"name": "w"}]), False),
    "one that was aborted": (other("Aborted"), False),
    "one that is suspended": (job(name="other", suspend=True), False),
    "one that another controller runs": (job(name="other", managedBy="kueue.x-k8s.io/multikueue"), False),
    "itself": (other(name="demo"), False),
    "a flow": (flow(step("a"), name="other"), False),
}


@pytest.mark.parametrize(("manifest", "counts"), COUNTED.values(), ids=COUNTED)
def test_active_jobs_of_every_origin_count(manifest: Body, counts: bool) -> None:
    assert judged(job(), ONE, manifest).allowed is not counts


def test_a_refusal_names_the_group_the_numbers_and_what_to_do() -> None:
    refused = judged(job(), policy(limits={"maxActiveJobs": 1, "maxHeldJobs": 1}), other(), other(name="more"))
    assert [each.path for each in refused.violations] == ["spec.suspend"]
    assert refused.violations[0].message == (
        'namespace "ns1" has 2 active Jobs, at most 1 may run at once and 1 may wait: wait until one has ended, or '
        'apply this one with suspend: true (policy "house", limits.maxActiveJobs)'
    )


ADMITTED: dict[str, Body] = {
    "a Job of a flow, which would fail without it": owned(job()),
    "a suspended Job": job(suspend=True),
    "a Job that another controller runs": job(managedBy="kueue.x-k8s.io/multikueue"),
    "a flow": flow(step("a")),
}


@pytest.mark.parametrize("manifest", ADMITTED.values(), ids=ADMITTED)
def test_what_needs_no_place_or_may_only_be_held_is_admitted(manifest: Body) -> None:
    assert judged(manifest, ONE, other()).allowed


def test_a_job_is_judged_when_it_is_resumed_or_moves_to_another_group_and_not_when_it_is_edited() -> None:
    assert not judged(job(), ONE, other(), old=job(suspend=True)).allowed
    assert judged(job(minAvailable=1), ONE, other(), old=job()).allowed
    by_label = policy(limits={"maxActiveJobs": 1, "countPer": {"objectLabel": "who"}})
    moved, there = labelled(job(), who="ann"), labelled(other(), who="ann")
    assert not judged(moved, by_label, there, old=labelled(job(), who="bob")).allowed
    assert judged(labelled(job(), who="bob"), by_label, there).allowed


def test_jobs_of_all_namespaces_with_one_label_are_counted_together() -> None:
    by_team = policy(limits={"maxActiveJobs": 1, "countPer": {"namespaceLabel": "team"}})
    elsewhere = {**other(), "metadata": {"name": "other", "namespace": "ns2"}}
    mine, theirs = namespace(team="vision"), namespace("ns2", team="vision")
    assert not judged(job(), by_team, elsewhere, mine, theirs).allowed
    assert judged(job(), by_team, elsewhere, mine, namespace("ns2", team="speech")).allowed


def test_a_job_counts_before_the_cache_has_seen_it() -> None:
    admitted = RecentObjects(lambda: 100.0)
    admitted.note(review(job(name="other")), ALLOWED, known(ONE))
    assert not validate(review(job()), admitted.over(known(ONE), "ns1")).allowed
    assert validate(review(job()), admitted.over(known(ONE), "ns2")).allowed
    rests = RecentObjects(lambda: 100.0)
    rests.note(review(job(name="other", managedBy="kueue.x-k8s.io/multikueue")), ALLOWED, known(ONE))
    rests.note(msgspec.structs.replace(review(job(name="third")), dry_run=True), ALLOWED, known(ONE))
    assert validate(review(job()), rests.over(known(ONE), "ns1")).allowed


def test_quotas_of_flows_do_not_count_jobs() -> None:
    flows = policy(limits={"maxActiveFlows": 0})
    assert judged(job(), flows, other()).allowed
