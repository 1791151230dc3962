"""Built-in kinds on the embedded API server: the rules a controller meets with pods, events, leases, roles and CRDs."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from local.apiserver import ApiServer
from local.apiserver.printing.jsonpath import find
from shared.model.types import Body
from tests.local.apiserver_testing import CRDS, MAPS, PODS, THINGS, HttpClient, config_map, crd, pod, thing

LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
EVENTS = "/api/v1/namespaces/default/events"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


@pytest.fixture
async def api() -> AsyncIterator[HttpClient]:
    async with ApiServer.start() as server:
        client = HttpClient(server)
        yield client
        await client.close()


async def patched(api: HttpClient, path: str, body: Any) -> tuple[int, str]:
    status, found, _ = await api.send("PATCH", path, body, Content_Type="application/merge-patch+json")
    return status, found.get("message", "")


async def test_a_new_pod_is_pending_with_the_defaults(api: HttpClient) -> None:
    found = await api("POST", PODS, {**pod(), "status": {"phase": "Running"}})
    assert found["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert found["metadata"]["generation"] == 1
    spec = found["spec"]
    assert (spec["restartPolicy"], spec["terminationGracePeriodSeconds"], spec["serviceAccountName"]) == (
        "Always",
        30,
        "default",
    )
    assert spec["containers"][0]["imagePullPolicy"] == "IfNotPresent"


async def test_quantities_are_stored_canonically(api: HttpClient) -> None:
    resources = {"limits": {"cpu": "1000m", "memory": "1024Mi"}, "requests": {"cpu": 0.5}}
    found = await api("POST", PODS, pod(containers=[{"name": "a", "image": "x", "resources": resources}]))
    assert found["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "1", "memory": "1Gi"},
        "requests": {"cpu": "500m", "memory": "1Gi"},
    }
    assert found["status"]["qosClass"] == "Burstable"


async def test_a_gated_pod_is_not_bound_and_gates_can_only_be_removed(api: HttpClient) -> None:
    found = await api("POST", PODS, pod(schedulingGates=[{"name": "example.com/a"}, {"name": "example.com/b"}]))
    assert found["status"]["conditions"][0]["reason"] == "SchedulingGated"
    binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}}
    code, _, message = await api.refused("POST", f"{PODS}/p/binding", binding)
    assert (code, message) == (
        409,
        'Operation cannot be fulfilled on pods/binding "p": pod p has non-empty .spec.schedulingGates',
    )
    status, message = await patched(api, f"{PODS}/p", {"spec": {"schedulingGates": [{"name": "example.com/new"}]}})
    assert status == 422
    assert "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate" in message
    assert (await patched(api, f"{PODS}/p", {"spec": {"schedulingGates": None}}))[0] == 200
    await api("POST", f"{PODS}/p/binding", binding)
    bound = await api("GET", f"{PODS}/p")
    assert bound["spec"]["nodeName"] == "n"
    assert {c["type"]: c["status"] for c in bound["status"]["conditions"]}["PodScheduled"] == "True"
    code, _, message = await api.refused("POST", f"{PODS}/p/binding", binding)
    assert (code, message) == (
        409,
        'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n"',
    )


POD_CHANGES: dict[str, tuple[Body, int]] = {
    "an image": ({"spec": {"containers": [{"name": "main", "image": "busybox:2"}]}}, 200),
    "a command": ({"spec": {"containers": [{"name": "main", "image": "busybox:1", "command": ["x"]}]}}, 422),
    "a node": ({"spec": {"nodeName": "other"}}, 422),
    "a restart policy": ({"spec": {"restartPolicy": "Never"}}, 422),
    "a deadline": ({"spec": {"activeDeadlineSeconds": 9}}, 200),
    "a label": ({"metadata": {"labels": {"a": "b"}}}, 200),
}


@pytest.mark.parametrize(("change", "wanted"), POD_CHANGES.values(), ids=POD_CHANGES.keys())
async def test_most_fields_of_a_pod_are_immutable(api: HttpClient, change: Body, wanted: int) -> None:
    await api("POST", PODS, pod(nodeName="n"))
    status, message = await patched(api, f"{PODS}/p", change)
    assert status == wanted, message
    assert wanted == 200 or "spec: Forbidden: pod updates may not change fields other than" in message


BAD_PODS: dict[str, tuple[Body, str]] = {
    "no containers": ({"containers": []}, "spec.containers: Required value"),
    "no image": ({"containers": [{"name": "a"}]}, "spec.containers[0].image: Required value"),
    "a name twice": (
        {"containers": [{"name": "a", "image": "x"}, {"name": "a", "image": "x"}]},
        'spec.containers[1].name: Duplicate value: "a"',
    ),
    "an unknown volume": (
        {"containers": [{"name": "a", "image": "x", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]},
        'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ),
    "more asked than allowed": (
        {
            "containers": [
                {"name": "a", "image": "x", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}}}
            ]
        },
        'resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1500m',
    ),
    "a long hostname": ({"hostname": "h" * 64}, "must be no more than 63 bytes"),
    "a gate on a node": (
        {"nodeName": "n", "schedulingGates": [{"name": "example.com/a"}]},
        "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
    ),
    "a restart policy": ({"restartPolicy": "x"}, 'spec.restartPolicy: Unsupported value: "x"'),
}


@pytest.mark.parametrize(("spec", "fault"), BAD_PODS.values(), ids=BAD_PODS.keys())
async def test_an_invalid_pod_is_refused(api: HttpClient, spec: Body, fault: str) -> None:
    code, _, message = await api.refused("POST", PODS, pod(**spec))
    assert code == 422
    assert fault in message


async def test_a_pod_needs_its_service_account_and_priority_class(api: HttpClient) -> None:
    assert (await api.refused("POST", PODS, pod(serviceAccountName="robot")))[2] == (
        'pods "p" is forbidden: error looking up service account default/robot: serviceaccount "robot" not found'
    )
    assert (await api.refused("POST", PODS, pod(priorityClassName="high")))[2] == (
        'pods "p" is forbidden: no PriorityClass with name high was found'
    )
    await api("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", {"metadata": {"name": "high"}, "value": 7})
    assert (await api("POST", PODS, pod(priorityClassName="high")))["spec"]["priority"] == 7


async def test_containers_get_the_defaults_of_limit_ranges(api: HttpClient) -> None:
    limits = [
        {"type": "Container", "default": {"cpu": "2"}, "defaultRequest": {"cpu": "1"}, "max": {"memory": "1Gi"}},
        {"type": "Pod", "max": {"cpu": "9"}},
    ]
    await api(
        "POST", "/api/v1/namespaces/default/limitranges", {"metadata": {"name": "all"}, "spec": {"limits": limits}}
    )
    plain = (await api("POST", PODS, pod()))["spec"]["containers"][0]["resources"]
    assert plain == {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}}
    own = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "500m"}}}
    given = {**pod(containers=[own]), "metadata": {"name": "own", "namespace": "default"}}
    set_by_user = (await api("POST", PODS, given))["spec"]["containers"][0]["resources"]
    assert set_by_user["requests"]["cpu"] == "500m"


UNDECODABLE: dict[str, tuple[str, Body, str]] = {
    "a number for a text": (
        MAPS,
        {"metadata": {"name": "a"}, "data": {"k": 1}},
        "json: cannot unmarshal number into Go struct field .data.k of type string",
    ),
    "a whole second where microseconds are due": (
        LEASES,
        {"metadata": {"name": "a"}, "spec": {"renewTime": "2026-01-02T03:04:05Z"}},
        'parsing time "2026-01-02T03:04:05Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    ),
    "no time at all": (
        EVENTS,
        {"metadata": {"name": "a"}, "involvedObject": {}, "firstTimestamp": "now"},
        'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"',
    ),
    "no base64": (
        "/api/v1/namespaces/default/secrets",
        {"metadata": {"name": "a"}, "data": {"k": "!"}},
        "illegal base64 data at input byte 0",
    ),
    "no quantity": (
        PODS,
        pod(containers=[{"name": "a", "image": "x", "resources": {"limits": {"cpu": "much"}}}]),
        "quantities must match the regular expression",
    ),
}


@pytest.mark.parametrize(("path", "body", "fault"), UNDECODABLE.values(), ids=UNDECODABLE.keys())
async def test_a_value_of_the_wrong_type_is_a_bad_request(api: HttpClient, path: str, body: Body, fault: str) -> None:
    code, reason, message = await api.refused("POST", path, body)
    assert (code, reason) == (400, "BadRequest")
    assert fault in message


async def test_an_events_v1_event_needs_its_reporting_fields(api: HttpClient) -> None:
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"},
        "eventTime": "2026-01-02T03:04:05.000000Z",
    }
    _, _, message = await api.refused("POST", EVENTS, event)
    for key in ("reportingComponent", "reportingInstance", "action", "reason"):
        assert f"{key}: Required value" in message
    event |= {"reportingComponent": "c", "reportingInstance": "i", "action": "Act", "reason": "Why", "type": "Normal"}
    await api("POST", EVENTS, event)


async def test_an_object_too_large_for_etcd_is_refused(api: HttpClient) -> None:
    await api("POST", CRDS, crd())
    code, _, message = await api.refused("POST", THINGS, thing(free={"big": "x" * (1536 * 1024)}))
    assert (code, message) == (500, "etcdserver: request is too large")
    code, _, message = await api.refused("POST", MAPS, config_map(big="x" * (1024 * 1024 + 1)))
    assert (code, message) == (422, 'ConfigMap "a" is invalid: []: Too long: may not be more than 1048576 bytes')
    code, reason, _ = await api.refused("POST", MAPS, config_map(big="x" * (3 * 1024 * 1024)))
    assert (code, reason) == (413, "RequestEntityTooLarge")


async def test_an_aggregated_role_has_the_rules_of_matching_roles(api: HttpClient) -> None:
    rule = {"apiGroups": ["example.com"], "resources": ["things"], "verbs": ["get"]}
    labels = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    await api("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "more", "labels": labels}, "rules": [rule]})
    for _ in range(50):
        await asyncio.sleep(0)
    for name in ("view", "edit", "admin"):
        assert rule in (await api("GET", f"{RBAC}/clusterroles/{name}"))["rules"]


async def test_the_status_of_a_quota_shows_its_usage(api: HttpClient) -> None:
    await api("POST", MAPS, config_map())
    quotas = "/api/v1/namespaces/default/resourcequotas"
    await api("POST", quotas, {"metadata": {"name": "q"}, "spec": {"hard": {"count/configmaps": "5", "pods": "2"}}})
    await api("POST", PODS, pod())
    for _ in range(50):
        await asyncio.sleep(0)
    assert (await api("GET", f"{quotas}/q"))["status"]["used"] == {"count/configmaps": "2", "pods": "1"}


BAD_VALUES: dict[str, tuple[Body, str]] = {
    "a default of another type": (
        {"type": "string", "default": 1},
        "properties[spec].default: Invalid value: 1: must validate",
    ),
    "a default with unknown fields": (
        {"type": "object", "default": {"x": 1}, "properties": {"y": {"type": "string"}}},
        "must not have unknown fields: x",
    ),
    "a pattern that RE2 cannot": ({"type": "string", "pattern": "^(?!x)"}, "must be a valid regular expression"),
}


@pytest.mark.parametrize(("schema", "fault"), BAD_VALUES.values(), ids=BAD_VALUES.keys())
async def test_values_are_validated_by_the_schema(api: HttpClient, schema: Body, fault: str) -> None:
    raw = crd(
        schema={"openAPIV3Schema": {"type": "object", "properties": {"spec": schema}}}, additionalPrinterColumns=[]
    )
    code, _, message = await api.refused("POST", CRDS, raw)
    assert code == 422
    assert fault in message


async def test_cel_rules_of_a_schema_are_evaluated(api: HttpClient) -> None:
    raw = crd()
    spec = raw["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["x-kubernetes-validations"] = [
        {"rule": "self.size < 5", "message": "too big"},
        {"rule": "self.size >= oldSelf.size", "message": "may not shrink"},
    ]
    await api("POST", CRDS, raw)
    assert (await api.refused("POST", THINGS, thing(size=6)))[2].endswith('spec: Invalid value: "object": too big')
    await api("POST", THINGS, thing(size=3))
    status, message = await patched(api, f"{THINGS}/a", {"spec": {"size": 2}})
    assert (status, message.rpartition(": ")[2]) == (422, "may not shrink")


async def test_a_second_version_serves_the_same_objects(api: HttpClient) -> None:
    raw = crd()
    first = raw["spec"]["versions"][0]
    raw["spec"]["versions"].append({**first, "name": "v2", "storage": False})
    await api("POST", CRDS, raw)
    await api("POST", THINGS, thing())
    second = THINGS.replace("/v1/", "/v2/")
    found = await api("GET", f"{second}/a")
    assert found["apiVersion"] == "test.example.com/v2"
    changed = await api.patch(f"{second}/a", {"spec": {"size": 4}})
    assert (changed["apiVersion"], changed["spec"]["size"]) == ("test.example.com/v2", 4)
    assert (await api("GET", f"{THINGS}/a"))["apiVersion"] == "test.example.com/v1"
    groups = await api("GET", "/apis/test.example.com")
    assert groups["preferredVersion"]["version"] == "v2"


async def test_logs_that_a_test_set_are_returned(api: HttpClient) -> None:
    await api("POST", PODS, pod())
    assert (await api.send("GET", f"{PODS}/p/log"))[:2] == (204, "")
    await api("PUT", "/testing/logs/default/p/main", b"one\ntwo\n")
    assert (await api.send("GET", f"{PODS}/p/log?tailLines=1"))[1] == "two\n"
    assert (await api.refused("GET", f"{PODS}/p/log?container=x"))[2] == "container x is not valid for pod p"


SHOWN = {
    "status": {
        "conditions": [
            {"type": "Complete", "status": "True", "code": 1},
            {"type": "Ready", "status": "False", "code": 2},
        ],
        "active": [{"name": "a"}, {"name": "b"}],
    }
}
COLUMN_PATHS = {
    '.status.conditions[?(@.type=="Ready")].status': ["False"],
    ".status.conditions[?(@.type=='Complete')].status": ["True"],
    ".status.conditions[?(@.code > 1)].type": ["Ready"],
    ".status.conditions[?(@.code)].type": ["Complete", "Ready"],
    '.status.conditions[?(@.type=="Stalled")].status': [],
    ".status.active[*].name": ["a", "b"],
    ".status.active[-1].name": ["b"],
}


@pytest.mark.parametrize(("path", "expected"), COLUMN_PATHS.items())
def test_what_the_path_of_a_printer_column_finds(path: str, expected: list[str]) -> None:
    assert find(SHOWN, path) == expected
