"""Objects on the embedded API server: create, read, update, patch, schema, metadata and their refusals."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from local.apiserver import ApiServer
from tests.local.apiserver_testing import CRDS, MAPS, PODS, THINGS, HttpClient, config_map, crd, pod, thing


@pytest.fixture
async def api() -> AsyncIterator[HttpClient]:
    async with ApiServer.start() as server:
        client = HttpClient(server)
        await client("POST", CRDS, crd())
        yield client
        await client.close()


async def test_a_created_object_has_identity_and_defaults(api: HttpClient) -> None:
    made = await api("POST", THINGS, {**thing(steps=[{"name": "x"}]), "status": {"state": "mine"}})
    assert made["metadata"]["generation"] == 1
    assert made["metadata"]["uid"]
    assert made["spec"]["mode"] == "fast"
    assert made["spec"]["steps"] == [{"name": "x", "weight": 5}]
    assert "status" not in made
    assert await api("GET", f"{THINGS}/a") == made


async def test_generate_name_gives_a_unique_name(api: HttpClient) -> None:
    raw = thing("")
    raw["metadata"] = {"generateName": "run-"}
    names = {(await api("POST", THINGS, raw))["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("run-") and len(name) == 9 for name in names)


SPEC_FAULTS = {
    "a type": (
        {"size": "x"},
        'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
    ),
    "a null, which is dropped where it is not allowed": ({"size": None}, "spec.size: Required value"),
    "a bound": ({"size": 10}, "spec.size: Invalid value: 10: spec.size in body should be less than or equal to 9"),
    "an enum": ({"mode": "x"}, 'spec.mode: Unsupported value: "x": supported values: "fast", "slow"'),
    "a pattern": ({"title": "A"}, "spec.title: Invalid value: \"A\": spec.title in body should match '^[a-z]+$'"),
    "a length": ({"title": "abcdef"}, "spec.title: Too long: may not be more than 5 bytes"),
    "a count": ({"steps": [{"name": n} for n in "abcd"]}, "spec.steps: Too many: 4: must have at most 3 items"),
    "a key twice": ({"steps": [{"name": "a"}, {"name": "a"}]}, 'spec.steps[1]: Duplicate value: {"name":"a"}'),
    "a missing key": ({"steps": [{}]}, "spec.steps[0].name: Required value"),
    "neither integer nor string": (
        {"port": True},
        'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    ),
}


@pytest.mark.parametrize(("spec", "fault"), SPEC_FAULTS.values(), ids=SPEC_FAULTS.keys())
async def test_a_schema_error_has_the_message_of_kubernetes(api: HttpClient, spec: dict[str, Any], fault: str) -> None:
    code, reason, message = await api.refused("POST", THINGS, thing(**spec))
    assert (code, reason) == (422, "Invalid")
    assert message == f'Thing.test.example.com "a" is invalid: {fault}'


async def test_all_errors_are_reported_as_causes(api: HttpClient) -> None:
    _, found, _ = await api.send("POST", THINGS, thing(size=-1, mode="x"))
    fields = [cause["field"] for cause in found["details"]["causes"]]
    assert fields == ["spec.size", "spec.mode"]
    assert found["details"]["kind"] == "Thing"
    assert found["message"].startswith('Thing.test.example.com "a" is invalid: [spec.size: ')


async def test_unknown_fields_are_refused_warned_about_or_ignored(api: HttpClient) -> None:
    raw = thing(colour="red", free={"any": 1})
    code, reason, message = await api.refused("POST", f"{THINGS}?fieldValidation=Strict", raw)
    assert (code, reason) == (400, "BadRequest")
    assert message == (
        'Thing in version "v1" cannot be handled as a Thing: strict decoding error: unknown field "spec.colour"'
    )
    _, made, headers = await api.send("POST", THINGS, raw)
    assert headers.getall("Warning") == ['299 - "unknown field \\"spec.colour\\""']
    assert "colour" not in made["spec"]
    assert made["spec"]["free"] == {"any": 1}
    _, _, headers = await api.send("PUT", f"{THINGS}/a?fieldValidation=Ignore", {**made, "spec": {"size": 2, "x": 1}})
    assert "Warning" not in headers


async def test_a_stale_resource_version_is_a_conflict(api: HttpClient) -> None:
    made = await api("POST", THINGS, thing())
    await api.patch(f"{THINGS}/a", {"spec": {"size": 2}})
    code, reason, message = await api.refused("PUT", f"{THINGS}/a", made)
    assert (code, reason) == (409, "Conflict")
    assert message == (
        'Operation cannot be fulfilled on things.test.example.com "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


async def test_an_update_of_a_custom_object_needs_a_resource_version(api: HttpClient) -> None:
    await api("POST", THINGS, thing())
    code, _, message = await api.refused("PUT", f"{THINGS}/a", thing(size=3))
    assert code == 422
    assert message.endswith("metadata.resourceVersion: Invalid value: 0: must be specified for an update")


async def test_spec_and_status_are_written_by_their_own_endpoints_only(api: HttpClient) -> None:
    made = await api("POST", THINGS, thing())
    both = {"spec": {"size": 5}, "status": {"state": "Running"}, "metadata": {"labels": {"a": "b"}}}
    main = await api.patch(f"{THINGS}/a", both)
    assert "status" not in main
    assert main["metadata"]["generation"] == 2
    state = await api.patch(f"{THINGS}/a/status", {**both, "spec": {"size": 7}, "metadata": {"labels": {"a": "c"}}})
    assert state["status"] == {"state": "Running"}
    assert state["spec"]["size"] == 5
    assert state["metadata"]["labels"] == {"a": "b"}
    assert state["metadata"]["generation"] == 2
    assert int(state["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])


async def test_without_the_subresource_status_is_a_field_like_others() -> None:
    async with ApiServer.start() as server:
        api = HttpClient(server)
        await api("POST", CRDS, crd(status=False))
        made = await api("POST", THINGS, {**thing(), "status": {"state": "x"}})
        assert made["status"] == {"state": "x"}
        changed = await api.patch(f"{THINGS}/a", {"status": {"state": "y"}})
        assert changed["status"] == {"state": "y"}
        assert changed["metadata"]["generation"] == 2
        status, _, _ = await api.send("GET", f"{THINGS}/a/status")
        assert status == 404
        await api.close()


async def test_a_write_that_changes_nothing_uses_no_revision(api: HttpClient) -> None:
    made = await api("POST", THINGS, thing())
    again = await api.patch(f"{THINGS}/a", {"spec": {"size": 1}})
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_a_dry_run_validates_and_stores_nothing(api: HttpClient) -> None:
    made = await api("POST", f"{THINGS}?dryRun=All", thing())
    assert made["spec"]["mode"] == "fast"
    assert "resourceVersion" not in made["metadata"]
    assert (await api.refused("GET", f"{THINGS}/a"))[0] == 404
    await api("POST", THINGS, thing())
    await api("DELETE", f"{THINGS}/a?dryRun=All")
    assert (await api.refused("POST", f"{THINGS}?dryRun=All", thing()))[1] == "AlreadyExists"
    assert (await api.refused("POST", f"{THINGS}?dryRun=All", thing("b", size="x")))[1] == "Invalid"


async def test_refusals_name_the_resource_as_kubernetes_does(api: HttpClient) -> None:
    await api("POST", THINGS, thing())
    assert await api.refused("GET", f"{THINGS}/x") == (404, "NotFound", 'things.test.example.com "x" not found')
    assert await api.refused("POST", THINGS, thing()) == (
        409,
        "AlreadyExists",
        'things.test.example.com "a" already exists',
    )
    assert await api.refused("GET", f"{PODS}/x") == (404, "NotFound", 'pods "x" not found')
    wrong_kind = await api.refused("POST", THINGS, {**thing(), "kind": "Other"})
    assert wrong_kind[0] == 400
    status, text, _ = await api.send("GET", "/apis/no.such.group/v1/things")
    assert (status, text) == (404, "404 page not found\n")
    missing = await api.refused("POST", "/api/v1/namespaces/nowhere/pods", pod())
    assert missing == (404, "NotFound", 'namespaces "nowhere" not found')


PATCHES = {
    "merge": ("merge", {"data": {"a": None, "c": "3"}}, {"b": "2", "c": "3"}),
    "json": ("json", [{"op": "replace", "path": "/data/a", "value": "9"}], {"a": "9", "b": "2"}),
    "strategic": ("strategic", {"data": {"$patch": "replace", "z": "1"}}, {"z": "1"}),
}


@pytest.mark.parametrize(("kind", "body", "data"), PATCHES.values(), ids=PATCHES.keys())
async def test_a_patch_is_applied_by_its_type(api: HttpClient, kind: str, body: Any, data: dict[str, str]) -> None:
    await api("POST", MAPS, config_map(a="1", b="2"))
    assert (await api.patch(f"{MAPS}/a", body, kind))["data"] == data


async def test_strategic_merge_merges_lists_by_key(api: HttpClient) -> None:
    deployments = "/apis/apps/v1/namespaces/default/deployments"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod()["spec"]}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    await api("POST", deployments, {"metadata": {"name": "d"}, "spec": spec})
    containers = [{"name": "main", "env": [{"name": "X", "value": "1"}]}, {"name": "side", "image": "s:1"}]
    order = [{"name": "side"}, {"name": "main"}]
    inner = {"containers": containers, "$setElementOrder/containers": order}
    found = await api.patch(f"{deployments}/d", {"spec": {"template": {"spec": inner}}}, "strategic")
    after = found["spec"]["template"]["spec"]["containers"]
    assert [(item["name"], item["image"]) for item in after] == [("side", "s:1"), ("main", "busybox:1")]
    assert after[1]["env"] == [{"name": "X", "value": "1"}]
    gone = {"containers": [{"name": "side", "$patch": "delete"}]}
    found = await api.patch(f"{deployments}/d", {"spec": {"template": {"spec": gone}}}, "strategic")
    assert [item["name"] for item in found["spec"]["template"]["spec"]["containers"]] == ["main"]
    assert found["metadata"]["generation"] == 3


async def test_custom_objects_refuse_strategic_merge_patch(api: HttpClient) -> None:
    await api("POST", THINGS, thing())
    kind = "application/strategic-merge-patch+json"
    code, reason, message = await api.refused("PATCH", f"{THINGS}/a", {}, Content_Type=kind)
    assert (code, reason) == (415, "UnsupportedMediaType")
    assert "application/json-patch+json, application/merge-patch+json" in message


async def test_a_json_patch_that_does_not_fit_is_unprocessable(api: HttpClient) -> None:
    await api("POST", THINGS, thing())
    operations = [{"op": "test", "path": "/spec/size", "value": 3}]
    code, reason, _ = await api.refused("PATCH", f"{THINGS}/a", operations, Content_Type="application/json-patch+json")
    assert (code, reason) == (422, "Invalid")


META_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a name": ({"name": "Aa"}, 'metadata.name: Invalid value: "Aa": a lowercase RFC 1123 subdomain must consist of'),
    "no name": ({"name": ""}, "metadata.name: Required value: name or generateName is required"),
    "a label key": ({"labels": {"a b": "c"}}, 'metadata.labels: Invalid value: "a b": name part must consist of'),
    "a label value": ({"labels": {"a": "b c"}}, 'metadata.labels: Invalid value: "b c": a valid label must be'),
    "an owner": (
        {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p"}]},
        'metadata.ownerReferences[0].uid: Invalid value: "": uid must not be empty',
    ),
}


@pytest.mark.parametrize(("meta", "fault"), META_FAULTS.values(), ids=META_FAULTS.keys())
async def test_metadata_is_validated(api: HttpClient, meta: dict[str, Any], fault: str) -> None:
    raw = thing()
    raw["metadata"] = {"name": "a", **meta}
    code, _, message = await api.refused("POST", THINGS, raw)
    assert code == 422
    assert fault in message


async def test_an_unchanged_invalid_value_is_not_validated_again(api: HttpClient) -> None:
    await api("POST", THINGS, thing(title="abc"))
    tighter = crd()
    tighter["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["title"][
        "maxLength"
    ] = 2
    current = await api("GET", f"{CRDS}/things.test.example.com")
    await api("PUT", f"{CRDS}/things.test.example.com", {**tighter, "metadata": current["metadata"]})
    changed = await api.patch(f"{THINGS}/a", {"spec": {"size": 4}})
    assert changed["spec"] == {"size": 4, "mode": "fast", "title": "abc"}
    code, _, message = await api.refused(
        "PATCH", f"{THINGS}/a", {"spec": {"title": "abd"}}, Content_Type="application/merge-patch+json"
    )
    assert code == 422
    assert "may not be more than 2 bytes" in message


BAD_SCHEMAS: dict[str, tuple[dict[str, Any], str]] = {
    "no type": (
        {"properties": {"spec": {"properties": {}}}},
        "properties[spec].type: Required value: must not be empty",
    ),
    "both maps": (
        {
            "properties": {
                "spec": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True}
            }
        },
        "properties[spec].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
    ),
    "list without items": ({"properties": {"spec": {"type": "array"}}}, "properties[spec].items: Required value"),
    "unnamed map keys": (
        {
            "properties": {
                "spec": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "properties": {"name": {"type": "string"}}},
                }
            }
        },
        "must have a default or be a required property",
    ),
}


@pytest.mark.parametrize(("schema", "fault"), BAD_SCHEMAS.values(), ids=BAD_SCHEMAS.keys())
async def test_a_schema_that_is_not_structural_is_refused(api: HttpClient, schema: dict[str, Any], fault: str) -> None:
    raw = crd(schema={"openAPIV3Schema": {"type": "object", **schema}})
    raw["spec"]["names"] = {"plural": "others", "kind": "Other"}
    raw["metadata"]["name"] = "others.test.example.com"
    code, _, message = await api.refused("POST", CRDS, raw)
    assert code == 422
    assert fault in message
