"""Identity, RBAC, records, faults and restarts of the embedded API server."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from local.apiserver import ApiServer, InjectedFault, ServerOptions
from shared.model.types import Body
from tests.local.apiserver_testing import CRDS, MAPS, PODS, THINGS, HttpClient, config_map, crd, pod, thing

RBAC = "/apis/rbac.authorization.k8s.io/v1"


@pytest.fixture
async def api() -> AsyncIterator[HttpClient]:
    async with ApiServer.start() as server:
        client = HttpClient(server)
        await client("POST", CRDS, crd())
        yield client
        await client.close()


async def robot(api: HttpClient, *rules: Body) -> HttpClient:
    """A client of the service account default/robot, which may do what the rules say, in the namespace default."""
    await api("POST", f"{RBAC}/namespaces/default/roles", {"metadata": {"name": "r"}, "rules": list(rules)})
    subject = {"kind": "ServiceAccount", "name": "robot", "namespace": "default"}
    reference = {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}
    binding = {"metadata": {"name": "b"}, "subjects": [subject], "roleRef": reference}
    await api("POST", f"{RBAC}/namespaces/default/rolebindings", binding)
    await api("PUT", "/testing/rbac", {"enforce": True})
    token = (await api("POST", "/testing/tokens", {"serviceAccount": "default/robot"}))["token"]
    return HttpClient(api.server, token)


async def test_an_unknown_token_is_unauthorized(api: HttpClient) -> None:
    assert await api.refused("GET", PODS, Authorization="Bearer nonsense") == (401, "Unauthorized", "Unauthorized")
    async with aiohttp.ClientSession() as session:
        async with session.get(api.server.url + PODS, ssl=api.server.ssl_context()) as answer:
            assert answer.status == 401
        async with session.get(api.server.url + "/readyz", ssl=api.server.ssl_context()) as answer:
            assert (answer.status, await answer.text()) == (200, "ok")


async def test_rbac_refuses_with_the_message_of_kubernetes(api: HttpClient) -> None:
    client = await robot(api, {"apiGroups": ["test.example.com"], "resources": ["things"], "verbs": ["get", "create"]})
    try:
        await client("POST", THINGS, thing())
        await client("GET", f"{THINGS}/a")
        assert await client.refused("DELETE", f"{THINGS}/a") == (
            403,
            "Forbidden",
            (
                'things.test.example.com "a" is forbidden: User "system:serviceaccount:default:robot" cannot delete resource '
                '"things" in API group "test.example.com" in the namespace "default"'
            ),
        )
        assert await client.refused("GET", "/api/v1/pods") == (
            403,
            "Forbidden",
            (
                'pods is forbidden: User "system:serviceaccount:default:robot" cannot list resource "pods" in API group "" '
                "at the cluster scope"
            ),
        )
        status = await client.refused("PATCH", f"{THINGS}/a/status", {}, Content_Type="application/merge-patch+json")
        assert 'cannot patch resource "things/status" in API group' in status[2]
    finally:
        await client.close()


async def test_a_role_can_be_limited_to_resource_names(api: HttpClient) -> None:
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": ["mine"]}
    await api("POST", MAPS, config_map("mine"))
    client = await robot(api, rule)
    try:
        await client("GET", f"{MAPS}/mine")
        assert (await client.refused("GET", f"{MAPS}/other"))[0] == 403
        attributes = {"verb": "get", "resource": "configmaps", "namespace": "default", "name": "mine"}
        review = {"spec": {"resourceAttributes": attributes}}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        assert (await client("POST", path, review))["status"]["allowed"] is True
        attributes["name"] = "other"
        assert (await client("POST", path, review))["status"]["allowed"] is False
    finally:
        await client.close()


async def test_every_request_and_write_is_recorded(api: HttpClient) -> None:
    await api("DELETE", "/testing/audit")
    await api("POST", THINGS, thing())
    await api.patch(f"{THINGS}/a/status", {"status": {"x": 1}})
    await api("GET", f"{THINGS}/a")
    await api.send("GET", f"{THINGS}/b")
    asked = [
        (item["verb"], item["subresource"], item["name"], item["code"]) for item in await api("GET", "/testing/audit")
    ]
    assert asked == [
        ("create", "", "a", 201),
        ("patch", "status", "a", 200),
        ("get", "", "a", 200),
        ("get", "", "b", 404),
    ]
    counts = {
        (item["verb"], item["resource"], item["subresource"]): item["count"]
        for item in await api("GET", "/testing/writes")
    }
    assert counts == {("create", "things.test.example.com", ""): 1, ("patch", "things.test.example.com", "status"): 1}
    permissions = await api("GET", "/testing/permissions?user=kubernetes-admin")
    assert {(item["verb"], item["resource"], item["subresource"]) for item in permissions} == {
        ("create", "things", ""),
        ("patch", "things", "status"),
        ("get", "things", ""),
    }


async def test_a_quota_refuses_objects_beyond_its_limit(api: HttpClient) -> None:
    quotas = "/api/v1/namespaces/default/resourcequotas"
    await api("POST", quotas, {"metadata": {"name": "small"}, "spec": {"hard": {"pods": "1"}}})
    await api("POST", PODS, pod("a"))
    assert await api.refused("POST", PODS, pod("b")) == (
        403,
        "Forbidden",
        'pods "b" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1',
    )
    await api.patch(f"{PODS}/a/status", {"status": {"phase": "Succeeded"}})
    await api("POST", PODS, pod("b"))


ERRORS = {
    "409": (409, "Conflict"),
    "429": (429, "TooManyRequests"),
    "500": (500, "InternalError"),
    "503": (503, "ServiceUnavailable"),
}


@pytest.mark.parametrize(("kind", "wanted"), ERRORS.items(), ids=ERRORS.keys())
async def test_an_injected_error_occurs_as_often_as_configured(
    api: HttpClient, kind: str, wanted: tuple[int, str]
) -> None:
    await api("PUT", "/testing/faults", [{"kind": kind, "count": 2, "verbs": ["create"], "resources": ["things"]}])
    for _ in range(2):
        status, found, headers = await api.send("POST", THINGS, thing())
        assert (status, found["reason"]) == wanted
        assert ("Retry-After" in headers) is (kind in ("429", "503"))
    await api("POST", THINGS, thing())
    assert (await api("GET", "/testing/faults"))[0]["injected"] == 2


async def test_a_lost_response_hides_a_committed_write(api: HttpClient) -> None:
    api.server.core.faults.add(InjectedFault("reset-after-commit", count=1, verbs=("create",)))
    with pytest.raises(aiohttp.ClientError):
        await api.send("POST", THINGS, thing())
    assert (await api("GET", f"{THINGS}/a"))["spec"]["size"] == 1


@pytest.mark.parametrize(("kind", "status"), [("late-answer", 201), ("timeout-after-commit", 504)])
async def test_a_late_answer_follows_a_committed_write(api: HttpClient, kind: str, status: int) -> None:
    api.server.core.faults.add(InjectedFault(kind, count=1, verbs=("create",), seconds=0.01))
    assert (await api.send("POST", THINGS, thing()))[0] == status
    assert (await api("GET", f"{THINGS}/a"))["spec"]["size"] == 1


async def test_a_stale_list_returns_an_older_revision(api: HttpClient) -> None:
    await api("POST", THINGS, thing("a"))
    await api("POST", THINGS, thing("b"))
    api.server.core.faults.add(InjectedFault("stale-list", count=1, revisions=1))
    assert len((await api("GET", THINGS))["items"]) == 1
    assert len((await api("GET", THINGS))["items"]) == 2


async def test_watch_faults_duplicate_events_and_end_watches(api: HttpClient) -> None:
    faults = api.server.core.faults
    async with api.watch(f"{THINGS}?watch=1&resourceVersion={api.server.core.store.rv}") as following:
        faults.add(InjectedFault("watch-duplicate", count=1))
        await api("POST", THINGS, thing("a"))
        assert await following() == await following()
        faults.add(InjectedFault("watch-410", count=1))
        await api("POST", THINGS, thing("b"))
        assert (await following())["object"]["code"] == 410
        assert (await following())["type"] == "EOF"
    async with api.watch(f"{THINGS}?watch=1&resourceVersion={api.server.core.store.rv}") as following:
        faults.add(InjectedFault("watch-drop", count=1))
        await api("POST", THINGS, thing("c"))
        assert (await following())["type"] == "EOF"


async def test_injected_faults_are_repeatable_by_seed() -> None:
    seen = []
    for _ in range(2):
        async with ApiServer.start(options=ServerOptions(seed=7)) as server:
            client = HttpClient(server)
            server.core.faults.add(InjectedFault("500", probability=0.5, verbs=("list",)))
            seen.append([(await client.send("GET", PODS))[0] for _ in range(12)])
            await client.close()
    assert seen[0] == seen[1]
    assert set(seen[0]) == {200, 500}


async def test_a_restart_keeps_objects_and_drops_watch_history(api: HttpClient) -> None:
    made = await api("POST", THINGS, thing())
    await api.patch(f"{THINGS}/a", {"spec": {"size": 2}})
    port, server = api.server.port, api.server
    await server.restart()
    assert server.port == port
    client = HttpClient(server)
    try:
        assert (await client("GET", f"{THINGS}/a"))["spec"]["size"] == 2
        again = await client("POST", THINGS, thing("b"))
        assert int(again["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
        async with client.watch(f"{THINGS}?watch=1&resourceVersion={made['metadata']['resourceVersion']}") as following:
            assert (await following())["object"]["code"] == 410
    finally:
        await client.close()


async def test_the_folder_holds_kubeconfig_and_ca(tmp_path: Path) -> None:
    async with ApiServer.start(tmp_path) as server:
        assert server.kubeconfig == tmp_path / "kubeconfig"
        assert server.token in server.kubeconfig.read_text()
        assert (tmp_path / "ca.crt").read_text().startswith("-----BEGIN CERTIFICATE-----")
