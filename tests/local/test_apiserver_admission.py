"""Webhooks on the embedded API server: which are called, in what order, and the effect of their answers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from local.apiserver import ApiServer
from shared.model.types import Body
from tests.local.apiserver_testing import CRDS, HOOKS, THINGS, FakeWebhook, HttpClient, crd, json_patch, thing

MUTATING, VALIDATING = HOOKS.format("mutating"), HOOKS.format("validating")


@pytest.fixture
async def api() -> AsyncIterator[HttpClient]:
    async with ApiServer.start() as server:
        client = HttpClient(server)
        await client("POST", CRDS, crd())
        yield client
        await client.close()


@pytest.fixture
async def hook(tmp_path: Path) -> AsyncIterator[FakeWebhook]:
    async with FakeWebhook(tmp_path).running() as running:
        yield running


def denies(message: str = "", **status: Any) -> Body:
    return {"allowed": False, "status": {**({"message": message} if message else {}), **status}}


async def test_a_review_names_user_operation_and_object(api: HttpClient, hook: FakeWebhook) -> None:
    await api("POST", VALIDATING, hook.configuration("Validating"))
    made = await api("POST", THINGS, thing())
    await api.patch(f"{THINGS}/a", {"spec": {"size": 2}})
    await api("DELETE", f"{THINGS}/a")
    created, updated, deleted = hook.asked
    assert created["path"] == "/hooks?timeout=5s"
    assert created["operation"] == "CREATE"
    assert created["object"] == {
        **made,
        "metadata": {k: v for k, v in made["metadata"].items() if k != "resourceVersion"},
    }
    assert created["oldObject"] is None
    assert created["kind"] == {"group": "test.example.com", "version": "v1", "kind": "Thing"}
    assert created["resource"] == {"group": "test.example.com", "version": "v1", "resource": "things"}
    assert (created["name"], created["namespace"], created["dryRun"]) == ("a", "default", False)
    assert created["userInfo"]["username"] == "kubernetes-admin"
    assert created["options"]["kind"] == "CreateOptions"
    assert (updated["operation"], updated["oldObject"]["spec"]["size"], updated["object"]["spec"]["size"]) == (
        "UPDATE",
        1,
        2,
    )
    assert (deleted["operation"], deleted["object"], deleted["oldObject"]["spec"]["size"]) == ("DELETE", None, 2)


async def test_a_mutation_is_applied_pruned_defaulted_and_validated(api: HttpClient, hook: FakeWebhook) -> None:
    await api("POST", MUTATING, hook.configuration("Mutating"))
    hook.answer = lambda request: json_patch(
        {"op": "add", "path": "/spec/title", "value": "set"},
        {"op": "add", "path": "/spec/unknown", "value": 1},
        {"op": "remove", "path": "/spec/mode"},
    )
    assert (await api("POST", THINGS, thing()))["spec"] == {"size": 1, "title": "set", "mode": "fast"}
    hook.answer = lambda request: json_patch({"op": "replace", "path": "/spec/size", "value": 77})
    code, _, message = await api.refused("POST", THINGS, thing("b"))
    assert code == 422
    assert "spec.size in body should be less than or equal to 9" in message


async def test_webhooks_are_called_in_the_order_of_their_names(api: HttpClient, hook: FakeWebhook) -> None:
    for name in ("second", "first"):
        await api("POST", MUTATING, hook.configuration("Mutating", name))
    hook.answer = lambda request: json_patch(
        {"op": "replace", "path": "/spec/size", "value": request["object"]["spec"]["size"] + 1}
    )
    assert (await api("POST", THINGS, thing()))["spec"]["size"] == 3
    assert [asked["path"].split("?")[0] for asked in hook.asked] == ["/first", "/second"]


async def test_a_webhook_with_reinvocation_is_called_again_after_a_later_change(
    api: HttpClient, hook: FakeWebhook
) -> None:
    await api("POST", MUTATING, hook.configuration("Mutating", "first", reinvocationPolicy="IfNeeded"))
    await api("POST", MUTATING, hook.configuration("Mutating", "second"))
    hook.answer = lambda request: (
        json_patch({"op": "add", "path": "/spec/title", "value": "x"}) if len(hook.asked) == 2 else {"allowed": True}
    )
    await api("POST", THINGS, thing())
    assert [asked["path"].split("?")[0] for asked in hook.asked] == ["/first", "/second", "/first"]


async def test_validating_webhooks_are_called_after_schema_validation(api: HttpClient, hook: FakeWebhook) -> None:
    await api("POST", VALIDATING, hook.configuration("Validating"))
    assert (await api.refused("POST", THINGS, thing(size="x")))[1] == "Invalid"
    assert hook.asked == []


DENIALS = {
    "with a message": (denies("no"), (400, "", 'admission webhook "hooks.example.com" denied the request: no')),
    "with a code and reason": (
        denies("bad spec", code=422, reason="Invalid"),
        (422, "Invalid", 'admission webhook "hooks.example.com" denied the request: bad spec'),
    ),
    "with a reason only": (
        denies(reason="Forbidden", code=403),
        (403, "Forbidden", 'admission webhook "hooks.example.com" denied the request: Forbidden'),
    ),
    "without a word": (
        {"allowed": False},
        (400, "", 'admission webhook "hooks.example.com" denied the request without explanation'),
    ),
}


@pytest.mark.parametrize(("answer", "wanted"), DENIALS.values(), ids=DENIALS.keys())
async def test_a_denial_reaches_the_client(
    api: HttpClient, hook: FakeWebhook, answer: Body, wanted: tuple[int, str, str]
) -> None:
    await api("POST", VALIDATING, hook.configuration("Validating"))
    hook.answer = lambda request: answer
    assert await api.refused("POST", THINGS, thing()) == wanted
    assert (await api.refused("GET", f"{THINGS}/a"))[0] == 404


async def test_the_causes_of_a_denial_are_passed_on(api: HttpClient, hook: FakeWebhook) -> None:
    await api("POST", VALIDATING, hook.configuration("Validating"))
    causes = [{"field": "spec.size", "reason": "FieldValueInvalid", "message": "too small"}]
    hook.answer = lambda request: denies("no", code=422, reason="Invalid", details={"kind": "Thing", "causes": causes})
    _, found, _ = await api.send("POST", THINGS, thing())
    assert found["details"] == {"kind": "Thing", "causes": causes}


async def test_warnings_become_headers(api: HttpClient, hook: FakeWebhook) -> None:
    await api("POST", VALIDATING, hook.configuration("Validating"))
    hook.answer = lambda request: {"allowed": True, "warnings": ['say "hello"'], "auditAnnotations": {"k": "v"}}
    _, _, headers = await api.send("POST", THINGS, thing())
    assert headers.getall("Warning") == ['299 - "say \\"hello\\""']
    assert api.server.core.audit.annotations == [("things", "a", {"hooks.example.com/k": "v"})]


SELECTED: dict[str, tuple[Body, bool]] = {
    "another operation": ({"rules": [{"operations": ["DELETE"]}]}, False),
    "another resource": ({"rules": [{"resources": ["others"]}]}, False),
    "the status only": ({"rules": [{"resources": ["things/status"]}]}, False),
    "every resource": ({"rules": [{"resources": ["*"]}]}, True),
    "another version": ({"rules": [{"apiVersions": ["v2"]}]}, False),
    "cluster scope": ({"rules": [{"scope": "Cluster"}]}, False),
    "its namespace": ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}}, True),
    "all but its namespace": (
        {
            "namespaceSelector": {
                "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["default"]}]
            }
        },
        False,
    ),
    "its labels": ({"objectSelector": {"matchLabels": {"on": "yes"}}}, True),
    "other labels": ({"objectSelector": {"matchLabels": {"on": "no"}}}, False),
    "a condition that holds": ({"matchConditions": [{"name": "c", "expression": "object.spec.size == 1"}]}, True),
    "a condition that does not": (
        {"matchConditions": [{"name": "c", "expression": "request.userInfo.username == 'x'"}]},
        False,
    ),
}


@pytest.mark.parametrize(("fields", "asked"), SELECTED.values(), ids=SELECTED.keys())
async def test_a_webhook_is_called_for_selected_objects_only(
    api: HttpClient, hook: FakeWebhook, fields: Body, asked: bool
) -> None:
    configuration = hook.configuration("Validating")
    first = configuration["webhooks"][0]
    rules = fields.pop("rules", None)
    first.update(fields)
    if rules:
        first["rules"][0].update(rules[0])
    await api("POST", VALIDATING, configuration)
    obj = thing()
    obj["metadata"]["labels"] = {"on": "yes"}
    await api("POST", THINGS, obj)
    assert bool(hook.asked) is asked


async def test_a_condition_that_fails_refuses_the_request(api: HttpClient, hook: FakeWebhook) -> None:
    conditions = [{"name": "c", "expression": "object.spec.nothing == 1"}]
    await api("POST", VALIDATING, hook.configuration("Validating", matchConditions=conditions))
    assert (await api.refused("POST", THINGS, thing()))[1] == "Forbidden"
    assert hook.asked == []


async def test_a_failing_webhook_follows_its_failure_policy(api: HttpClient, hook: FakeWebhook) -> None:
    configuration = hook.configuration("Validating")
    configuration["webhooks"][0]["clientConfig"]["url"] = "https://127.0.0.1:1/x"
    await api("POST", VALIDATING, configuration)
    code, reason, message = await api.refused("POST", THINGS, thing())
    assert (code, reason) == (500, "InternalError")
    assert message.startswith(
        'Internal error occurred: failed calling webhook "hooks.example.com": failed to call webhook: '
        'Post "https://127.0.0.1:1/x?timeout=5s": dial tcp 127.0.0.1:1: connect: '
    )
    configuration["webhooks"][0]["failurePolicy"] = "Ignore"
    await api("DELETE", f"{VALIDATING}/hooks")
    await api("POST", VALIDATING, configuration)
    await api("POST", THINGS, thing())


async def test_only_the_ca_bundle_is_trusted(api: HttpClient, hook: FakeWebhook) -> None:
    configuration = hook.configuration("Validating")
    configuration["webhooks"][0]["clientConfig"]["caBundle"] = FakeWebhook(hook.folder).bundle
    await api("POST", VALIDATING, configuration)
    code, _, message = await api.refused("POST", THINGS, thing())
    assert code == 500
    assert "tls: failed to verify certificate" in message


async def test_an_invalid_response_counts_as_a_failed_call(api: HttpClient, hook: FakeWebhook) -> None:
    await api("POST", VALIDATING, hook.configuration("Validating"))
    hook.answer = lambda request: {"allowed": True, "uid": "other"}
    assert 'expected response.uid="' in (await api.refused("POST", THINGS, thing()))[2]
    hook.status = 500
    assert "an error on the server" in (await api.refused("POST", THINGS, thing()))[2]


async def test_a_service_is_reached_at_its_mapped_address(api: HttpClient, hook: FakeWebhook) -> None:
    configuration = hook.configuration("Validating")
    service = {"namespace": "default", "name": "kubernetes", "path": "/x"}
    configuration["webhooks"][0]["clientConfig"] = {"caBundle": hook.bundle, "service": service}
    await api("POST", VALIDATING, configuration)
    message = (await api.refused("POST", THINGS, thing()))[2]
    assert 'Post "https://kubernetes.default.svc:443/x": service "kubernetes" not found' in message
    await api("PUT", "/testing/services", {"default/kubernetes": f"127.0.0.1:{hook.port}"})
    await api("POST", THINGS, thing())
    assert hook.asked[0]["path"] == "/x?timeout=5s"


async def test_a_webhook_with_side_effects_forbids_a_dry_run(api: HttpClient, hook: FakeWebhook) -> None:
    await api("POST", VALIDATING, hook.configuration("Validating", sideEffects="NoneOnDryRun"))
    await api("POST", f"{THINGS}?dryRun=All", thing())
    assert hook.asked[0]["dryRun"] is True
    code, _, message = await api.refused(
        "POST", HOOKS.format("validating"), hook.configuration("Validating", "b", sideEffects="Some")
    )
    assert code == 422
    assert 'sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"' in message


async def test_status_writes_do_not_call_webhooks_of_the_main_resource(api: HttpClient, hook: FakeWebhook) -> None:
    await api("POST", THINGS, thing())
    await api("POST", VALIDATING, hook.configuration("Validating"))
    await api.patch(f"{THINGS}/a/status", {"status": {"x": 1}})
    assert hook.asked == []


async def test_removing_the_last_finalizer_calls_webhooks_as_an_update(api: HttpClient, hook: FakeWebhook) -> None:
    obj = thing()
    obj["metadata"]["finalizers"] = ["example.com/hold"]
    await api("POST", THINGS, obj)
    await api("POST", VALIDATING, hook.configuration("Validating"))
    await api("DELETE", f"{THINGS}/a")
    await api.patch(f"{THINGS}/a", {"metadata": {"finalizers": None}})
    assert [asked["operation"] for asked in hook.asked] == ["DELETE", "UPDATE"]
    assert (await api.refused("GET", f"{THINGS}/a"))[0] == 404
