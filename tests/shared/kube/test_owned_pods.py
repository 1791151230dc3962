"""Pods below an object of any kind are found through the objects in between."""

import pytest
from aiohttp import web

from shared.kinds import POD
from shared.kube.client.api import Api
from shared.kube.owned_pods import kind_served, pods_below
from shared.model.types import Body
from tests.shared.kube.fake import FakeServer

RAY = "ray.io/v1"
JOB: Body = {"metadata": {"name": "job", "namespace": "ns", "uid": "job"}}
OTHER: Body = {"metadata": {"name": "job", "namespace": "ns", "uid": "other"}}
PODS, CLUSTERS = "/api/v1/pods", f"/apis/{RAY}/rayclusters"


def owned(name: str, uid: str, kind: str = "RayCluster", version: str = RAY, owner: str = "made") -> Body:
    reference = {"apiVersion": version, "kind": kind, "name": owner, "uid": uid, "controller": True}
    return {"metadata": {"name": name, "namespace": "ns", "ownerReferences": [reference]}}


@pytest.fixture
def ray(fake: FakeServer) -> FakeServer:
    """A RayJob `job` owns the RayCluster `made`, which owns the pods."""

    async def discovery(request: web.Request) -> web.StreamResponse | None:
        if request.path == "/api/v1":
            return web.json_response({"resources": [{"name": "pods", "kind": "Pod", "namespaced": True}]})
        if request.path != f"/apis/{RAY}":
            return None
        names = ({"name": "rayclusters", "kind": "RayCluster"}, {"name": "rayclusters/status", "kind": "RayCluster"})
        return web.json_response({"resources": [{**each, "namespaced": True} for each in names]})

    fake.before = discovery
    fake.put(CLUSTERS, owned("made", "job", "RayJob", owner="job") | {"kind": "RayCluster"})
    for name in ("head", "worker"):
        fake.put(PODS, owned(name, "made"))
    return fake


def names(pods: list[Body]) -> list[str]:
    return [pod["metadata"]["name"] for pod in pods]


async def test_pods_of_an_object_in_between_belong_to_the_object_above(ray: FakeServer, api: Api) -> None:
    assert names(await pods_below(api, JOB)) == ["head", "worker"]
    assert ray.calls["GET rayclusters"] == 1  # for both pods


async def test_pods_of_the_object_itself_and_below_its_pods_are_found(ray: FakeServer, api: Api) -> None:
    """As the executors of a SparkApplication, which its driver owns."""
    ray.put(PODS, owned("driver", "job", "RayJob", owner="job"))
    ray.put(PODS, owned("executor", "driver", "Pod", "v1", owner="driver"))
    ray.objects[PODS]["ns", "driver"]["metadata"]["uid"] = "driver"
    assert names(await pods_below(api, JOB)) == ["driver", "executor", "head", "worker"]


async def test_pods_of_others_and_without_owner_are_left_out(ray: FakeServer, api: Api) -> None:
    ray.put(PODS, {"metadata": {"name": "alone", "namespace": "ns"}})
    ray.put(PODS, owned("gone", "gone", owner="gone"))
    ray.put(PODS, owned("unknown", "x", "Thing", "example.com/v1"))
    assert names(await pods_below(api, JOB)) == ["head", "worker"]
    assert names(await pods_below(api, OTHER)) == []


async def test_owners_in_a_circle_end_the_search(ray: FakeServer, api: Api) -> None:
    ray.put(CLUSTERS, owned("made", "made", owner="made"))
    assert names(await pods_below(api, JOB)) == []


async def test_a_kind_is_served_or_not(ray: FakeServer, api: Api) -> None:
    found = await kind_served(api, RAY, "RayCluster")
    assert found is not None
    assert (found.plural, found.namespaced) == ("rayclusters", True)
    assert await kind_served(api, "v1", "Pod") == POD
    assert await kind_served(api, RAY, "RayService") is None
    assert await kind_served(api, "example.com/v1", "Thing") is None


@pytest.mark.parametrize("api_version", ["../../api/v1", "v1/../v1", "apps/v1?x=1", "example.com/v1/..", "V1", ""])
async def test_what_is_no_api_version_is_not_asked_for(ray: FakeServer, api: Api, api_version: str) -> None:
    assert await kind_served(api, api_version, "RayCluster") is None
    assert not ray.calls


async def test_a_kind_that_may_not_be_looked_up_ends_the_search(ray: FakeServer, api: Api) -> None:
    found = ray.before

    async def forbidden(request: web.Request) -> web.StreamResponse | None:
        if request.path == f"/apis/{RAY}":
            return web.json_response({"kind": "Status", "code": 403, "message": "no"}, status=403)
        return await found(request) if found is not None else None

    ray.before = forbidden
    assert names(await pods_below(api, JOB)) == []
