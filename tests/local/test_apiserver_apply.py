"""Server-side apply on the embedded API server: merging, ownership, conflicts, and giving fields up."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from local.apiserver import ApiServer
from shared.model.types import Body
from tests.local.apiserver_testing import CRDS, MAPS, THINGS, HttpClient, config_map, crd, pod, thing

APPLY = "application/apply-patch+yaml"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


@pytest.fixture
async def api() -> AsyncIterator[HttpClient]:
    async with ApiServer.start() as server:
        client = HttpClient(server)
        await client("POST", CRDS, crd())
        yield client
        await client.close()


async def apply(api: HttpClient, path: str, body: Body, manager: str = "one", **query: str) -> Any:
    more = "".join(f"&{key}={value}" for key, value in query.items())
    return await api(
        "PATCH", f"{path}/{body['metadata']['name']}?fieldManager={manager}{more}", body, Content_Type=APPLY
    )


async def conflict(api: HttpClient, path: str, body: Body, manager: str) -> tuple[int, str, str]:
    return await api.refused(
        "PATCH", f"{path}/{body['metadata']['name']}?fieldManager={manager}", body, Content_Type=APPLY
    )


def kept(found: Body) -> dict[tuple[str, str], Any]:
    return {(entry["manager"], entry["operation"]): entry["fieldsV1"] for entry in found["metadata"]["managedFields"]}


def things_map(name: str = "a", **data: str) -> Body:
    return {"apiVersion": "v1", **config_map(name, **data)}


async def test_an_apply_creates_the_object_and_owns_its_fields(api: HttpClient) -> None:
    obj = thing(steps=[{"name": "x", "weight": 1}])
    obj["metadata"]["labels"] = {"tier": "web"}
    status, found, _ = await api.send("PATCH", f"{THINGS}/a?fieldManager=one", obj, Content_Type=APPLY)
    assert status == 201
    assert found["spec"]["mode"] == "fast"
    assert kept(found) == {
        ("one", "Apply"): {
            "f:metadata": {"f:labels": {"f:tier": {}}},
            "f:spec": {"f:size": {}, "f:steps": {'k:{"name":"x"}': {".": {}, "f:name": {}, "f:weight": {}}}},
        }
    }
    again = await apply(api, THINGS, obj)
    assert again["metadata"]["resourceVersion"] == found["metadata"]["resourceVersion"]


async def test_two_appliers_share_an_object(api: HttpClient) -> None:
    await apply(api, THINGS, thing(steps=[{"name": "x"}]), "one")
    other = {**thing(), "spec": {"title": "abc", "steps": [{"name": "y"}]}}
    found = await apply(api, THINGS, other, "two")
    assert found["spec"]["size"] == 1
    assert found["spec"]["title"] == "abc"
    assert [step["name"] for step in found["spec"]["steps"]] == ["x", "y"]


async def test_a_field_that_is_no_longer_applied_is_removed(api: HttpClient) -> None:
    await apply(api, MAPS, things_map(a="1", b="2"))
    assert (await apply(api, MAPS, things_map(a="1")))["data"] == {"a": "1"}
    await apply(api, THINGS, thing(steps=[{"name": "x"}, {"name": "y"}]))
    assert [step["name"] for step in (await apply(api, THINGS, thing(steps=[{"name": "y"}])))["spec"]["steps"]] == ["y"]


async def test_a_field_with_another_owner_is_kept(api: HttpClient) -> None:
    await apply(api, MAPS, things_map(a="1", b="2"), "one")
    await apply(api, MAPS, things_map(b="2"), "two")
    assert (await apply(api, MAPS, things_map(a="1"), "one"))["data"] == {"a": "1", "b": "2"}


async def test_changing_another_managers_field_is_a_conflict_unless_forced(api: HttpClient) -> None:
    await apply(api, THINGS, thing(size=1), "one")
    assert await conflict(api, THINGS, thing(size=2), "two") == (
        409,
        "Conflict",
        'Apply failed with 1 conflict: conflict with "one": .spec.size',
    )
    found = await apply(api, THINGS, thing(size=2), "two", force="true")
    assert found["spec"]["size"] == 2
    assert ("one", "Apply") not in kept(found)


async def test_several_conflicts_are_listed_by_manager(api: HttpClient) -> None:
    await apply(api, THINGS, thing(size=1, steps=[{"name": "x", "weight": 1}]), "one")
    _, _, message = await conflict(api, THINGS, thing(size=2, steps=[{"name": "x", "weight": 2}]), "two")
    assert message == (
        'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.size\n- .spec.steps[name="x"].weight'
    )


async def test_an_update_takes_ownership_of_changed_fields(api: HttpClient) -> None:
    await apply(api, MAPS, things_map(a="1", b="2"), "one")
    found = await api(
        "PATCH", f"{MAPS}/a?fieldManager=hand", {"data": {"a": "9"}}, Content_Type="application/merge-patch+json"
    )
    assert kept(found) == {("one", "Apply"): {"f:data": {"f:b": {}}}, ("hand", "Update"): {"f:data": {"f:a": {}}}}
    _, _, message = await conflict(api, MAPS, things_map(a="1", b="2"), "one")
    assert message.startswith('Apply failed with 1 conflict: conflict with "hand" using v1')


async def test_fields_of_an_object_created_without_apply_belong_to_its_creator(api: HttpClient) -> None:
    await api("POST", f"{MAPS}?fieldManager=maker", config_map(a="1"))
    _, _, message = await conflict(api, MAPS, things_map(a="2"), "one")
    assert message.startswith('Apply failed with 1 conflict: conflict with "maker" using v1')
    assert message.endswith(": .data.a")
    assert (await apply(api, MAPS, things_map(a="1", b="2"), "one"))["data"] == {"a": "1", "b": "2"}


async def test_the_status_has_separate_owners(api: HttpClient) -> None:
    await apply(api, THINGS, thing(), "one")
    body = {"status": {"state": "Running"}}
    found = await api("PATCH", f"{THINGS}/a/status?fieldManager=ctl", body, Content_Type="application/merge-patch+json")
    entry = next(item for item in found["metadata"]["managedFields"] if item["manager"] == "ctl")
    assert (entry["subresource"], entry["fieldsV1"]) == ("status", {"f:status": {"f:state": {}}})
    again = await apply(api, THINGS, thing(size=2), "one")
    assert again["status"] == {"state": "Running"}
    assert {item["manager"] for item in again["metadata"]["managedFields"]} == {"one", "ctl"}


async def test_containers_are_merged_by_name_and_defaults_survive(api: HttpClient) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod()["spec"]}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}
    await apply(api, DEPLOYMENTS, deployment)
    template["spec"] = {"containers": [{"name": "main", "image": "busybox:2"}]}
    found = await apply(api, DEPLOYMENTS, deployment)
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["imagePullPolicy"]) == ("busybox:2", "IfNotPresent")
    assert found["spec"]["replicas"] == 1


async def test_an_invalid_apply_is_refused(api: HttpClient) -> None:
    assert (await api.refused("PATCH", f"{THINGS}/a", thing(), Content_Type=APPLY))[2] == (
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
    )
    code, _, message = await conflict(api, THINGS, thing(colour="red"), "one")
    assert code == 500
    assert message.endswith("Kind=Thing): .spec.colour: field not declared in schema")
    assert (await conflict(api, THINGS, thing(size=77), "one"))[:2] == (422, "Invalid")
