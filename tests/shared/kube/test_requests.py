import orjson
import pytest

from shared.kinds import JOB, POD, QUEUE
from shared.kube.client import requests
from shared.kube.client.requests import Request

BODY = {"metadata": {"name": "x", "namespace": "ns"}}
CASES = {
    "get a core object": (requests.get(POD, "ns", "p"), "GET", "/api/v1/namespaces/ns/pods/p"),
    "get a custom object": (
        requests.get(JOB, "ns", "j"),
        "GET",
        "/apis/batch.volcano.sh/v1alpha1/namespaces/ns/jobs/j",
    ),
    "a cluster-scoped kind has no namespace": (
        requests.get(QUEUE, "ns", "q"),
        "GET",
        "/apis/scheduling.volcano.sh/v1beta1/queues/q",
    ),
    "list all namespaces": (requests.list_page(POD), "GET", "/api/v1/pods"),
    "list a page": (
        requests.list_page(POD, "ns", label_selector="a=b,c!=d", limit=500, continue_token="t/="),
        "GET",
        "/api/v1/namespaces/ns/pods?labelSelector=a%3Db%2Cc%21%3Dd&limit=500&continue=t%2F%3D",
    ),
    "watch": (
        requests.watch(POD, resource_version="7", timeout_seconds=60),
        "GET",
        "/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=60",
    ),
    "create": (requests.create(POD, BODY), "POST", "/api/v1/namespaces/ns/pods"),
    "create without effect": (
        requests.create(POD, BODY, dry_run=True),
        "POST",
        "/api/v1/namespaces/ns/pods?dryRun=All",
    ),
    "bind": (
        requests.create(POD, {}, namespace="ns", name="p", subresource="binding"),
        "POST",
        "/api/v1/namespaces/ns/pods/p/binding",
    ),
    "replace the status": (
        requests.replace(POD, BODY, subresource="status"),
        "PUT",
        "/api/v1/namespaces/ns/pods/x/status",
    ),
    "names are quoted": (requests.get(POD, "n/s", "a b"), "GET", "/api/v1/namespaces/n%2Fs/pods/a%20b"),
    "apply": (
        requests.patch(POD, "ns", "p", {}, content_type=requests.APPLY_PATCH, field_manager="me", force=True),
        "PATCH",
        "/api/v1/namespaces/ns/pods/p?fieldManager=me&force=true",
    ),
    "delete": (requests.delete(POD, "ns", "p"), "DELETE", "/api/v1/namespaces/ns/pods/p"),
    "delete many": (
        requests.delete_collection(POD, "ns", label_selector="a=b"),
        "DELETE",
        "/api/v1/namespaces/ns/pods?labelSelector=a%3Db",
    ),
}


@pytest.mark.parametrize(("request_", "method", "target"), CASES.values(), ids=CASES.keys())
def test_method_and_target(request_: Request, method: str, target: str) -> None:
    assert (request_.method, request_.target) == (method, target)


PATCHES = {
    "a list is a JSON patch": ([{"op": "test"}], "", requests.JSON_PATCH),
    "a dict is a merge patch": ({"a": 1}, "", requests.MERGE_PATCH),
    "a strategic patch says so": ({"a": 1}, requests.STRATEGIC_PATCH, requests.STRATEGIC_PATCH),
}


@pytest.mark.parametrize(("change", "content_type", "want"), PATCHES.values(), ids=PATCHES.keys())
def test_patch_kind(change: dict[str, object], content_type: str, want: str) -> None:
    request = requests.patch(POD, "ns", "p", change, content_type=content_type)
    assert request.content_type == want
    assert orjson.loads(request.body or b"") == change


def test_delete_carries_preconditions_and_propagation() -> None:
    body = orjson.loads(requests.delete(POD, "ns", "p", uid="u", propagation="Foreground", grace_seconds=0).body or b"")
    assert body["preconditions"] == {"uid": "u"}
    assert (body["propagationPolicy"], body["gracePeriodSeconds"]) == ("Foreground", 0)
    assert "preconditions" not in orjson.loads(requests.delete(POD, "ns", "p").body or b"")
