"""Lists and watches on the embedded API server: selectors, pages, bookmarks, expiry, tables."""

from collections.abc import AsyncIterator

import pytest

from local.apiserver import ApiServer
from shared.model.types import Body
from tests.local.apiserver_testing import CRDS, MAPS, PODS, THINGS, HttpClient, config_map, crd, pod, thing


@pytest.fixture
async def api() -> AsyncIterator[HttpClient]:
    async with ApiServer.start(bookmarks=0.1) as server:
        client = HttpClient(server)
        await client("POST", CRDS, crd())
        yield client
        await client.close()


def labelled(name: str, **labels: str) -> Body:
    found = thing(name)
    found["metadata"]["labels"] = labels
    return found


def names(found: Body) -> list[str]:
    return [item["metadata"]["name"] for item in found["items"]]


SELECTORS = {
    "equal": ("labelSelector=tier%3Dweb", ["a", "b"]),
    "unequal": ("labelSelector=tier!%3Dweb", ["c"]),
    "in a set": ("labelSelector=env%20in%20(x,y)", ["a", "b"]),
    "not in a set": ("labelSelector=env%20notin%20(x)", ["b", "c"]),
    "present": ("labelSelector=env", ["a", "b"]),
    "absent": ("labelSelector=!env", ["c"]),
    "two at once": ("labelSelector=tier%3Dweb,env%3Dx", ["a"]),
    "by name": ("fieldSelector=metadata.name%3Dc", ["c"]),
}


@pytest.mark.parametrize(("query", "wanted"), SELECTORS.values(), ids=SELECTORS.keys())
async def test_a_label_selector_filters_a_list(api: HttpClient, query: str, wanted: list[str]) -> None:
    for obj in (labelled("a", tier="web", env="x"), labelled("b", tier="web", env="y"), labelled("c", tier="db")):
        await api("POST", THINGS, obj)
    assert names(await api("GET", f"{THINGS}?{query}")) == wanted


async def test_an_unsupported_field_selector_is_refused(api: HttpClient) -> None:
    code, _, message = await api.refused("GET", f"{THINGS}?fieldSelector=spec.size%3D1")
    assert (code, message) == (400, "field label not supported: spec.size")


async def test_pods_are_selected_by_node_and_phase(api: HttpClient) -> None:
    await api("POST", PODS, pod("p"))
    await api("POST", PODS, pod("q", nodeName="n1"))
    assert names(await api("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1")) == ["q"]
    assert names(await api("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3D,status.phase%3DPending")) == ["p"]


async def test_list_items_of_built_in_kinds_carry_no_kind(api: HttpClient) -> None:
    await api("POST", PODS, pod())
    await api("POST", THINGS, thing())
    pods, things = await api("GET", PODS), await api("GET", THINGS)
    assert (pods["kind"], "kind" in pods["items"][0]) == ("PodList", False)
    assert (things["kind"], things["items"][0]["kind"]) == ("ThingList", "Thing")


async def test_all_pages_of_a_list_show_one_revision(api: HttpClient) -> None:
    for index in range(5):
        await api("POST", THINGS, thing(f"t{index}"))
    first = await api("GET", f"{THINGS}?limit=2")
    assert first["metadata"]["remainingItemCount"] == 3
    await api("DELETE", f"{THINGS}/t3")
    await api("POST", THINGS, thing("t9"))
    second = await api("GET", f"{THINGS}?limit=2&continue={first['metadata']['continue']}")
    third = await api("GET", f"{THINGS}?limit=2&continue={second['metadata']['continue']}")
    assert names(first) + names(second) + names(third) == ["t0", "t1", "t2", "t3", "t4"]
    assert "continue" not in third["metadata"]
    assert first["metadata"]["resourceVersion"] == third["metadata"]["resourceVersion"]


async def test_a_continue_token_expires_with_compaction(api: HttpClient) -> None:
    for index in range(3):
        await api("POST", THINGS, thing(f"t{index}"))
    first = await api("GET", f"{THINGS}?limit=2")
    api.server.core.compact()
    code, reason, message = await api.refused("GET", f"{THINGS}?limit=2&continue={first['metadata']['continue']}")
    assert (code, reason) == (410, "Expired")
    assert message.startswith("The provided continue parameter is too old")


async def test_a_list_can_show_an_exact_older_revision(api: HttpClient) -> None:
    await api("POST", THINGS, thing("a"))
    then = (await api("GET", THINGS))["metadata"]["resourceVersion"]
    await api("DELETE", f"{THINGS}/a")
    await api("POST", THINGS, thing("b"))
    exact = f"resourceVersion={then}&resourceVersionMatch=Exact"
    assert names(await api("GET", f"{THINGS}?{exact}")) == ["a"]
    assert names(await api("GET", f"{THINGS}?resourceVersion=0")) == ["b"]
    assert (await api.refused("GET", f"{THINGS}?resourceVersion=999999"))[0] == 504


async def test_a_watch_delivers_events_after_its_revision(api: HttpClient) -> None:
    await api("POST", THINGS, thing("a"))
    rv = (await api("GET", THINGS))["metadata"]["resourceVersion"]
    await api("POST", THINGS, thing("b"))
    async with api.watch(f"{THINGS}?watch=true&resourceVersion={rv}") as following:
        assert (await following())["object"]["metadata"]["name"] == "b"
        await api.patch(f"{THINGS}/a", {"spec": {"size": 2}})
        changed = await following()
        assert (changed["type"], changed["object"]["spec"]["size"]) == ("MODIFIED", 2)
        assert changed["object"]["kind"] == "Thing"
        await api("DELETE", f"{THINGS}/a")
        gone = await following()
        assert gone["type"] == "DELETED"
        assert int(gone["object"]["metadata"]["resourceVersion"]) > int(
            changed["object"]["metadata"]["resourceVersion"]
        )


async def test_a_watch_without_revision_starts_with_existing_objects(api: HttpClient) -> None:
    await api("POST", THINGS, thing("a"))
    async with api.watch(f"{THINGS}?watch=1&timeoutSeconds=1") as following:
        assert [(await following())["type"] for _ in range(2)] == ["ADDED", "EOF"]


async def test_a_watch_with_a_selector_sees_objects_enter_and_leave(api: HttpClient) -> None:
    await api("POST", THINGS, labelled("a", on="no"))
    rv = (await api("GET", THINGS))["metadata"]["resourceVersion"]
    async with api.watch(f"{THINGS}?watch=1&resourceVersion={rv}&labelSelector=on%3Dyes") as following:
        for on in ("yes", "yes", "no"):
            await api.patch(f"{THINGS}/a", {"metadata": {"labels": {"on": on}}, "spec": {"size": len(on)}})
        await api.patch(f"{THINGS}/a", {"metadata": {"labels": {"on": "yes"}}})
        seen = [await following() for _ in range(3)]
    assert [event["type"] for event in seen] == ["ADDED", "DELETED", "ADDED"]
    assert seen[1]["object"]["metadata"]["labels"] == {"on": "yes"}


async def test_bookmarks_carry_the_newest_revision(api: HttpClient) -> None:
    rv = (await api("POST", THINGS, thing("a")))["metadata"]["resourceVersion"]
    newest = (await api("POST", MAPS, config_map()))["metadata"]["resourceVersion"]
    async with api.watch(f"{THINGS}?watch=1&resourceVersion={rv}&allowWatchBookmarks=true") as following:
        event = await following()
    assert event["type"] == "BOOKMARK"
    assert event["object"]["kind"] == "Thing"
    assert event["object"]["metadata"]["resourceVersion"] == newest


async def test_initial_events_end_with_a_marked_bookmark(api: HttpClient) -> None:
    await api("POST", THINGS, thing("a"))
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    async with api.watch(f"{THINGS}?{query}") as following:
        events = [await following() for _ in range(2)]
    assert [event["type"] for event in events] == ["ADDED", "BOOKMARK"]
    assert events[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_a_watch_from_before_compaction_gets_410(api: HttpClient) -> None:
    made = await api("POST", THINGS, thing("a"))
    await api.patch(f"{THINGS}/a", {"spec": {"size": 2}})
    api.server.core.compact()
    rv = made["metadata"]["resourceVersion"]
    async with api.watch(f"{THINGS}?watch=1&resourceVersion={rv}") as following:
        event = await following()
        assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
        assert event["object"]["message"].startswith(f"too old resource version: {rv} (")
        assert (await following())["type"] == "EOF"


async def test_the_watches_of_a_deleted_crd_end(api: HttpClient) -> None:
    await api("POST", THINGS, thing("a"))
    async with api.watch(f"{THINGS}?watch=1") as following:
        await following()
        await api("DELETE", f"{CRDS}/things.test.example.com")
        assert [(await following())["type"] for _ in range(2)] == ["DELETED", "EOF"]
    assert (await api.send("GET", THINGS))[0] == 404


TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}


async def test_a_table_has_the_columns_of_the_crd(api: HttpClient) -> None:
    await api("POST", THINGS, thing("a"))
    found = await api("GET", THINGS, **TABLE)
    assert [column["name"] for column in found["columnDefinitions"]] == ["Name", "Size", "Mode"]
    assert found["columnDefinitions"][2]["priority"] == 1
    assert found["rows"][0]["cells"] == ["a", 1, "fast"]
    assert found["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


async def test_a_table_watch_sends_its_headers_once(api: HttpClient) -> None:
    for name in "ab":
        await api("POST", THINGS, thing(name))
    api.headers.update(TABLE)
    async with api.watch(f"{THINGS}?watch=1") as following:
        events = [await following() for _ in range(2)]
    assert [len(event["object"]["columnDefinitions"]) for event in events] == [3, 0]


def reported(state: Body, **more: object) -> Body:
    return {"phase": "Running", "containerStatuses": [{"name": "main", "restartCount": 0, "state": state, **more}]}


POD_STATES = {
    "new": ({}, ["0/1", "Pending", "0"]),
    "pulling": (reported({"waiting": {"reason": "ImagePullBackOff"}}), ["0/1", "ImagePullBackOff", "0"]),
    "running": (reported({"running": {}}, ready=True), ["1/1", "Running", "0"]),
    "done": (
        {**reported({"terminated": {"exitCode": 0, "reason": "Completed"}}), "phase": "Succeeded"},
        ["0/1", "Completed", "0"],
    ),
    "failed": ({**reported({"terminated": {"exitCode": 3}}), "phase": "Failed"}, ["0/1", "ExitCode:3", "0"]),
    "starting": (
        {"phase": "Pending", "initContainerStatuses": [{"name": "i", "restartCount": 0, "state": {"running": {}}}]},
        ["0/1", "Init:0/1", "0"],
    ),
}


@pytest.mark.parametrize(("status", "cells"), POD_STATES.values(), ids=POD_STATES.keys())
async def test_a_pods_row_shows_its_state(api: HttpClient, status: Body, cells: list[str]) -> None:
    await api("POST", PODS, pod(initContainers=[{"name": "i", "image": "x:1"}]))
    if status:
        await api.patch(f"{PODS}/p/status", {"status": status})
    found = await api("GET", PODS, **TABLE)
    assert found["rows"][0]["cells"][1:4] == cells


async def test_a_watch_from_before_a_restart_or_an_earlier_crd_gets_410(api: HttpClient) -> None:
    before = (await api("POST", THINGS, thing("a")))["metadata"]["resourceVersion"]
    await api("DELETE", f"{THINGS}/a")
    await api.server.restart()
    client = HttpClient(api.server)
    async with client.watch(f"{THINGS}?watch=1&resourceVersion={before}") as following:
        assert (await following())["object"]["code"] == 410
    again = (await client("GET", THINGS))["metadata"]["resourceVersion"]
    await client("DELETE", f"{CRDS}/things.test.example.com")
    await client("POST", CRDS, crd())
    async with client.watch(f"{THINGS}?watch=1&resourceVersion={again}") as following:
        assert (await following())["object"]["code"] == 410
    await client.close()
