"""A minAvailable that no user has set follows the replicas under every way of changing a Job; one that was set stays."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.types import Body
from tests.webhook.make import faults, job, known, mutate, review, task
from webhook.envelope.patch import applied

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def stored(new: Body, old: Body | None = None) -> Body:
    """What the API server stores; a refusal fails the test."""
    made = applied(new, mutate(review(new, old), known()).patch)
    assert faults(made, old) == []
    return made


def minimums(body: Body) -> tuple[Any, ...]:
    return (body["spec"]["minAvailable"], *(each["minAvailable"] for each in body["spec"]["tasks"]))


def managed(body: Body, *entries: Body) -> Body:
    made = copy.deepcopy(body)
    made["metadata"]["managedFields"] = list(entries)
    return made


def entry(manager: str, *fields: str, operation: str = "Update", subresource: str = "") -> Body:
    return {
        "manager": manager,
        "operation": operation,
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {f"f:{field}": {} for field in fields}},
        **({"subresource": subresource} if subresource else {}),
    }


def client_side_apply(manifest: Body, old: Body | None = None) -> Body:
    """What kubectl sends: the manifest and, beside its lists, what the stored object has and the last manifest had not."""
    made = copy.deepcopy(manifest)
    made["metadata"].setdefault("annotations", {})[LAST_APPLIED] = json.dumps(manifest)
    if old is None:
        return managed(made, entry("kubectl-client-side-apply", *manifest["spec"]))
    before = json.loads(old["metadata"]["annotations"][LAST_APPLIED])
    kept = {key: value for key, value in old["spec"].items() if key not in before["spec"]}
    made["metadata"]["annotations"] = {**old["metadata"]["annotations"], **made["metadata"]["annotations"]}
    made["spec"] = {**kept, **made["spec"]}
    return managed(made, *old["metadata"]["managedFields"])


def server_side_apply(manifest: Body, old: Body | None = None) -> Body:
    made = copy.deepcopy(manifest)
    if old is not None:
        made["spec"] = {**old["spec"], **made["spec"]}
        made["metadata"]["annotations"] = dict(old["metadata"].get("annotations") or {})
    return managed(made, entry("kubectl", *manifest["spec"], operation="Apply"), entry("m", subresource="status"))


def replace(manifest: Body, old: Body | None = None) -> Body:
    return managed(copy.deepcopy(manifest), entry("kubectl-replace", *manifest["spec"]))


def patch_leaves(manifest: Body, old: Body | None = None) -> Body:
    """Only the replicas of the tasks change, as with a JSON patch, an edit or `jobflow job scale`."""
    if old is None:
        return managed(copy.deepcopy(manifest), entry("kubectl-create", *manifest["spec"]))
    made = managed(old, entry("kubectl-create", *manifest["spec"]))
    for index, each in enumerate(manifest["spec"]["tasks"]):
        made["spec"]["tasks"][index]["replicas"] = each["replicas"]
    return made


def without_managers(manifest: Body, old: Body | None = None) -> Body:
    """A server that keeps no managedFields."""
    made = patch_leaves(manifest, old)
    made["metadata"].pop("managedFields", None)
    return made


WAYS: dict[str, Callable[..., Body]] = {
    way.__name__: way for way in (client_side_apply, server_side_apply, replace, patch_leaves, without_managers)
}


@pytest.mark.parametrize("way", WAYS)
def test_defaulted_minimums_follow_the_replicas_both_ways(way: str) -> None:
    send = WAYS[way]
    first = stored(send(job(task(replicas=4), task("x", 1))))
    assert minimums(first) == (5, 4, 1)
    down = stored(send(job(task(replicas=1), task("x", 1)), first), first)
    assert minimums(down) == (2, 1, 1)
    assert minimums(stored(send(job(task(replicas=7), task("x", 1)), down), down)) == (8, 7, 1)


@pytest.mark.parametrize("way", WAYS)
def test_explicit_minimums_stay(way: str) -> None:
    send = WAYS[way]
    first = stored(send(job(task(replicas=4, minAvailable=2), minAvailable=3)))
    grown = stored(send(job(task(replicas=6, minAvailable=2), minAvailable=3), first), first)
    assert (minimums(first), minimums(grown)) == ((3, 2), (3, 2))


@pytest.mark.parametrize("way", WAYS)
def test_an_explicit_minimum_that_equals_the_replicas_stays(way: str) -> None:
    send = WAYS[way]
    first = stored(send(job(task(replicas=4, minAvailable=4), minAvailable=4)))
    assert minimums(stored(send(job(task(replicas=6, minAvailable=4), minAvailable=4), first), first)) == (4, 4)


@pytest.mark.parametrize("way", WAYS)
def test_a_defaulted_total_follows_an_explicit_minimum_of_a_task(way: str) -> None:
    send = WAYS[way]
    first = stored(send(job(task(replicas=4, minAvailable=2), task("x", 2))))
    assert minimums(first) == (4, 2, 2)
    grown = stored(send(job(task(replicas=4, minAvailable=2), task("x", 5)), first), first)
    assert minimums(grown) == (7, 2, 5)


@pytest.mark.parametrize("way", ["client_side_apply", "server_side_apply"])
def test_a_minimum_added_to_the_manifest_is_explicit_even_if_it_equals_the_default(way: str) -> None:
    """An update that sets the stored value gets no entry in managedFields; the manifest tells."""
    send = WAYS[way]
    first = stored(send(job(task(replicas=4))))
    second = stored(send(job(task(replicas=4, minAvailable=4), minAvailable=4), first), first)
    third = stored(send(job(task(replicas=6, minAvailable=4), minAvailable=4), second), second)
    assert minimums(third) == (4, 4)


def test_a_minimum_set_by_a_patch_is_explicit_from_then_on() -> None:
    first = stored(patch_leaves(job(task(replicas=4))))
    patched = copy.deepcopy(first)
    patched["spec"]["minAvailable"], patched["spec"]["tasks"][0]["minAvailable"] = 2, 2
    patched = managed(patched, entry("kubectl-patch", "minAvailable"))
    second = stored(patched, first)
    assert minimums(second) == (2, 2)
    assert minimums(stored(patch_leaves(job(task(replicas=9)), second), second)) == (2, 2)


def test_a_minimum_above_the_replicas_that_was_set_is_refused() -> None:
    first = stored(client_side_apply(job(task(replicas=4), minAvailable=4)))
    new = client_side_apply(job(task(replicas=1), minAvailable=4), first)
    made = applied(new, mutate(review(new, first), known()).patch)
    assert any("'minAvailable' should not be greater" in fault for fault in faults(made, first))


def test_an_edit_after_an_apply_leaves_a_defaulted_minimum_a_default() -> None:
    """kubectl edit writes the whole stored object into the last-applied annotation."""
    first = stored(client_side_apply(job(task(replicas=4))))
    edited = copy.deepcopy(first)
    edited["spec"]["tasks"][0]["replicas"] = 1
    whole = {**edited, "metadata": {"name": "demo", "uid": "1234"}}
    edited["metadata"]["annotations"][LAST_APPLIED] = json.dumps(whole)
    assert minimums(stored(edited, first)) == (1, 1)


def test_a_job_stored_before_the_annotation_existed_keeps_its_task_minimums() -> None:
    first = stored(patch_leaves(job(task(replicas=4))))
    del first["metadata"]["annotations"]
    new = patch_leaves(job(task(replicas=6)), first)
    assert minimums(stored(new, first)) == (4, 4)


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"metadata": 3, "spec": []}'])
def test_a_damaged_annotation_of_the_last_apply_counts_as_none(text: str) -> None:
    first = stored(patch_leaves(job(task(replicas=4))))
    new = patch_leaves(job(task(replicas=2)), first)
    new["metadata"]["annotations"][LAST_APPLIED] = text
    assert minimums(stored(new, first)) == (2, 2)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(sorted(WAYS))), min_size=1, max_size=5),
    st.booleans(),
)
def test_any_series_of_changes_in_one_way_ends_like_a_new_job(changes: list[tuple[int, str]], second: bool) -> None:
    send = WAYS[changes[0][1]]
    old: Body | None = None
    for replicas, _ in changes:
        manifest = job(task(replicas=replicas), *([task("x", 1)] if second else []))
        old = stored(send(manifest, old), old)
    assert old is not None
    assert minimums(old) == minimums(stored(replace(manifest)))
