"""Groups that are not bound in time: their pods are deleted, and the group is tried again after a back-off."""

import math

import pytest

from controller.gang.cache.assumed import BOOKED_SECONDS, AssumedPod, BookedPod
from controller.gang.cache.pod_requirements import requirements_of
from controller.gang.podgroup import bind_timeout
from controller.gang.settings import AdmissionSettings, backoff
from shared import names
from shared.key import Key
from shared.timestamp import rfc3339
from tests.controller.gang.make import NAMESPACE, template, with_nodes

REQUIREMENTS = requirements_of({"metadata": {}, **template()})


def test_all_pods_of_a_group_that_is_not_bound_in_time_are_deleted() -> None:
    made = with_nodes("4", "4", settings=AdmissionSettings(bind_timeout=300.0))
    made.submit("g", (template("2"), 4))
    made.round()
    made.foreign("sneaky", "n0", "4")
    made.bind()
    assert made.bound("g") == 2  # a scheduler without gang scheduling was faster
    ref = Key(NAMESPACE, "g")
    made.settle("g")
    group, tally = made.cache.groups[ref], made.cache.counts(ref)
    assert bind_timeout.deadline(group, tally, 300.0) == made.now + 300
    assert len(bind_timeout.pods_to_delete(made.cache.pods(ref))) == 4
    patch = bind_timeout.pending_again(group, tally, "no node fits", 300.0, made.now + 300)
    assert patch["metadata"]["annotations"][names.GANG_PUT_BACK] == "1"
    assert patch["status"]["phase"] == "Pending"
    assert "2 of 4 pods were bound within 300 s (no node fits)" in patch["status"]["conditions"][0]["message"]


def test_a_group_is_tried_again_after_its_back_off() -> None:
    made = with_nodes("4")
    made.submit("other", (template("4"), 1))
    made.bind()
    made.submit("g", (template(), 2))
    body = made.groups["g"]
    marks = {names.GANG_PUT_BACK: "2", names.GANG_PUT_BACK_AT: rfc3339(made.now)}
    body["metadata"] = {**body["metadata"], "annotations": marks}
    made.change("g")
    made.end("other")
    done = made.round()
    assert (made.gated("g"), done.wake) == (2, made.now + 60)
    assert made.why("g") == "not bound in time (2 times so far); tried again at 2026-01-02T03:01:00Z"
    made.now += 60
    made.round()
    assert made.gated("g") == 0


def test_the_back_off_doubles_up_to_a_limit() -> None:
    assert [backoff(number) for number in (0, 1, 2, 3, 30)] == [0, 30, 60, 120, 600]


def test_pods_without_controller_are_not_deleted() -> None:
    made = with_nodes("4")
    made.submit("g", (template(), 1))
    pod = next(iter(made.pods.values()))
    pod["metadata"].pop("ownerReferences")
    made.cache.update_pod(None, pod | {"metadata": {**pod["metadata"], "labels": {}}})
    assert bind_timeout.pods_to_delete(made.cache.pods(Key(NAMESPACE, "g"))) == ()


def test_the_bind_timeout_covers_pods_that_do_not_exist() -> None:
    made = with_nodes("4", settings=AdmissionSettings(bind_timeout=300.0))
    made.submit("g", (template(), 2))
    made.bind()
    gone = next(iter(made.pods))
    made.cache.update_pod(made.pods.pop(gone), None)
    key = Key(NAMESPACE, "g")
    counts = made.cache.counts(key)
    assert (counts.unbound, counts.scheduled) == (0, 1)
    assert bind_timeout.deadline(made.cache.groups[key], counts, 300.0) == made.now + 300
    patch = bind_timeout.pending_again(made.cache.groups[key], counts, "", 300.0, made.now + 300)
    assert "1 of 2 pods were bound within 300 s (1 exists without gate)" in patch["status"]["conditions"][0]["message"]


CLAIMS = {
    "a claim that does not exist": ('0/3 nodes are available: persistentvolumeclaim "nope" not found.', 300.0, 30.0),
    "a claim that is not bound": ("pod has unbound immediate PersistentVolumeClaims", 300.0, 30.0),
    "a shorter limit of the operator": ('persistentvolumeclaim "nope" not found', 10.0, 10.0),
    "room": ("0/3 nodes are available: 3 Insufficient cpu.", 300.0, 300.0),
    "nothing that is known": ("", math.inf, math.inf),
}


@pytest.mark.parametrize(("said", "limit", "wanted"), CLAIMS.values(), ids=CLAIMS.keys())
def test_pods_that_wait_for_a_claim_hold_up_others_for_a_short_time_only(
    said: str, limit: float, wanted: float
) -> None:
    assert bind_timeout.while_others_wait(said, limit) == wanted


def test_a_cycle_is_due_when_a_booking_expires() -> None:
    made = with_nodes("4")
    made.cache.book(
        Key(NAMESPACE, "p"), BookedPod(Key(NAMESPACE, "g"), "default", AssumedPod(REQUIREMENTS, "n0"), made.now)
    )
    assert made.round().wake == made.now + BOOKED_SECONDS
    made.now += BOOKED_SECONDS
    assert made.round().wake is None
    assert len(made.cache.assumed.booked) == 0
