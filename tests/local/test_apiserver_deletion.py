"""Deletion on the embedded API server: grace, finalizers, preconditions, owners, namespaces."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from local.apiserver import ApiServer
from shared.model.types import Body
from tests.local.apiserver_testing import CRDS, MAPS, PODS, THINGS, HttpClient, config_map, crd, owned, pod, thing


@pytest.fixture
async def api() -> AsyncIterator[HttpClient]:
    async with ApiServer.start() as server:
        client = HttpClient(server)
        await client("POST", CRDS, crd())
        yield client
        await client.close()


async def settled(api: HttpClient) -> None:
    """Let the server's controllers work off what they have."""
    controllers = api.server.controllers
    for _ in range(200):
        await asyncio.sleep(0)
        if not controllers._waiting and controllers._queue.empty():
            await asyncio.sleep(0)
            if not controllers._waiting:
                return


async def exists(api: HttpClient, path: str) -> bool:
    return (await api.send("GET", path))[0] == 200


def finalized(obj: Body, *names: str) -> Body:
    obj["metadata"]["finalizers"] = list(names)
    return obj


async def test_a_deletion_returns_a_status_with_the_uid(api: HttpClient) -> None:
    made = await api("POST", THINGS, thing())
    found = await api("DELETE", f"{THINGS}/a")
    assert found["status"] == "Success"
    assert found["details"] == {
        "name": "a",
        "group": "test.example.com",
        "kind": "things",
        "uid": made["metadata"]["uid"],
    }
    assert (await api.refused("DELETE", f"{THINGS}/a"))[0] == 404


async def test_an_object_stays_until_its_last_finalizer_is_removed(api: HttpClient) -> None:
    await api("POST", THINGS, finalized(thing(), "example.com/one", "example.com/two"))
    found = await api("DELETE", f"{THINGS}/a")
    assert found["kind"] == "Thing"
    assert found["metadata"]["deletionTimestamp"]
    assert found["metadata"]["generation"] == 2
    assert await api("DELETE", f"{THINGS}/a") == found
    more = {"metadata": {"finalizers": ["example.com/one", "example.com/two", "example.com/three"]}}
    code, _, message = await api.refused("PATCH", f"{THINGS}/a", more, Content_Type="application/merge-patch+json")
    assert code == 422
    assert "no new finalizers can be added if the object is being deleted" in message
    await api.patch(f"{THINGS}/a", {"metadata": {"finalizers": ["example.com/two"]}})
    assert await exists(api, f"{THINGS}/a")
    await api.patch(f"{THINGS}/a", {"metadata": {"finalizers": None}})
    assert not await exists(api, f"{THINGS}/a")


async def test_a_uid_precondition_protects_a_new_object_of_the_same_name(api: HttpClient) -> None:
    made = await api("POST", THINGS, thing())
    code, reason, message = await api.refused("DELETE", f"{THINGS}/a", {"preconditions": {"uid": "other"}})
    assert (code, reason) == (409, "Conflict")
    assert f"UID in precondition: other, UID in object meta: {made['metadata']['uid']}" in message
    await api("DELETE", f"{THINGS}/a", {"preconditions": {"uid": made["metadata"]["uid"]}})


async def test_an_unbound_pod_is_deleted_at_once_and_a_bound_one_by_its_node(api: HttpClient) -> None:
    await api("POST", PODS, pod("free"))
    await api("DELETE", f"{PODS}/free")
    assert not await exists(api, f"{PODS}/free")
    await api("POST", PODS, pod("bound", nodeName="n1", terminationGracePeriodSeconds=7))
    found = await api("DELETE", f"{PODS}/bound")
    assert found["metadata"]["deletionGracePeriodSeconds"] == 7
    await api("DELETE", f"{PODS}/bound")
    assert await exists(api, f"{PODS}/bound")
    await api("DELETE", f"{PODS}/bound", {"gracePeriodSeconds": 0})
    assert not await exists(api, f"{PODS}/bound")


async def test_an_ended_pod_is_deleted_at_once(api: HttpClient) -> None:
    await api("POST", PODS, pod(nodeName="n1"))
    await api.patch(f"{PODS}/p/status", {"status": {"phase": "Succeeded"}})
    await api("DELETE", f"{PODS}/p")
    assert not await exists(api, f"{PODS}/p")


async def test_background_deletion_deletes_the_owner_first(api: HttpClient) -> None:
    owner = await api("POST", THINGS, thing())
    child = await api("POST", MAPS, owned(config_map("child"), owner))
    await api("POST", MAPS, owned(config_map("grandchild"), child))
    await api("DELETE", f"{THINGS}/a", {"propagationPolicy": "Background"})
    assert not await exists(api, f"{THINGS}/a")
    await settled(api)
    assert not await exists(api, f"{MAPS}/child")
    assert not await exists(api, f"{MAPS}/grandchild")


async def test_foreground_deletion_deletes_the_owner_last(api: HttpClient) -> None:
    owner = await api("POST", THINGS, thing())
    await api("POST", MAPS, finalized(owned(config_map("child"), owner), "example.com/hold"))
    status, found, _ = await api.send("DELETE", f"{THINGS}/a", {"propagationPolicy": "Foreground"})
    assert status == 202
    assert found["metadata"]["finalizers"] == ["foregroundDeletion"]
    await settled(api)
    assert (await api("GET", f"{MAPS}/child"))["metadata"]["deletionTimestamp"]
    assert await exists(api, f"{THINGS}/a")
    await api.patch(f"{MAPS}/child", {"metadata": {"finalizers": None}})
    await settled(api)
    assert not await exists(api, f"{THINGS}/a")


async def test_a_dependent_without_block_owner_deletion_does_not_delay_its_owner(api: HttpClient) -> None:
    owner = await api("POST", THINGS, thing())
    child = finalized(owned(config_map("child"), owner, block=False), "example.com/hold")
    await api("POST", MAPS, child)
    await api("DELETE", f"{THINGS}/a", {"propagationPolicy": "Foreground"})
    await settled(api)
    assert not await exists(api, f"{THINGS}/a")
    assert (await api("GET", f"{MAPS}/child"))["metadata"]["deletionTimestamp"]


async def test_orphaned_dependents_are_kept(api: HttpClient) -> None:
    owner = await api("POST", THINGS, thing())
    await api("POST", MAPS, owned(config_map("child"), owner))
    await api("DELETE", f"{THINGS}/a", {"propagationPolicy": "Orphan"})
    await settled(api)
    assert not await exists(api, f"{THINGS}/a")
    assert "ownerReferences" not in (await api("GET", f"{MAPS}/child"))["metadata"]


async def test_a_missing_owner_or_one_with_another_uid_counts_as_gone(api: HttpClient) -> None:
    first = await api("POST", THINGS, thing())
    await api("DELETE", f"{THINGS}/a")
    await api("POST", THINGS, thing())
    await api("POST", MAPS, owned(config_map("late"), first))
    await settled(api)
    assert not await exists(api, f"{MAPS}/late")


async def test_a_second_owner_keeps_an_object(api: HttpClient) -> None:
    one, two = await api("POST", THINGS, thing("a")), await api("POST", THINGS, thing("b"))
    child = owned(config_map("child"), one)
    reference = dict(owned(config_map("x"), two)["metadata"]["ownerReferences"][0], controller=False)
    child["metadata"]["ownerReferences"].append(reference)
    await api("POST", MAPS, child)
    await api("DELETE", f"{THINGS}/a")
    await settled(api)
    left = (await api("GET", f"{MAPS}/child"))["metadata"]["ownerReferences"]
    assert [owner["name"] for owner in left] == ["b"]


async def test_a_deleted_namespace_is_emptied_and_refuses_new_objects(api: HttpClient) -> None:
    await api("POST", "/api/v1/namespaces", {"metadata": {"name": "team"}})
    things = "/apis/test.example.com/v1/namespaces/team/things"
    await api("POST", things, finalized(thing(), "example.com/hold"))
    await api("POST", "/api/v1/namespaces/team/configmaps", config_map())
    found = await api("DELETE", "/api/v1/namespaces/team")
    assert found["status"]["phase"] == "Terminating"
    await settled(api)
    code, reason, message = await api.refused("POST", "/api/v1/namespaces/team/configmaps", config_map("b"))
    assert (code, reason) == (403, "Forbidden")
    assert message == (
        'configmaps "b" is forbidden: unable to create new content in namespace team because it is being terminated'
    )
    assert (await api("GET", "/api/v1/namespaces/team/configmaps"))["items"] == []
    assert await exists(api, "/api/v1/namespaces/team")
    await api.patch(f"{things}/a", {"metadata": {"finalizers": None}})
    await settled(api)
    assert not await exists(api, "/api/v1/namespaces/team")


async def test_a_collection_is_deleted_by_selector(api: HttpClient) -> None:
    for name in "abc":
        obj = thing(name)
        obj["metadata"]["labels"] = {"odd": "yes" if name != "b" else "no"}
        await api("POST", THINGS, obj)
    await api("DELETE", f"{THINGS}?labelSelector=odd%3Dyes")
    assert [item["metadata"]["name"] for item in (await api("GET", THINGS))["items"]] == ["b"]


async def test_deleting_a_crd_deletes_its_objects(api: HttpClient) -> None:
    await api("POST", THINGS, finalized(thing(), "example.com/hold"))
    await api("DELETE", f"{CRDS}/things.test.example.com")
    await settled(api)
    assert (await api("GET", f"{THINGS}/a"))["metadata"]["deletionTimestamp"]
    await api.patch(f"{THINGS}/a", {"metadata": {"finalizers": None}})
    await settled(api)
    assert not await exists(api, f"{CRDS}/things.test.example.com")
    assert (await api.send("GET", THINGS))[0] == 404
