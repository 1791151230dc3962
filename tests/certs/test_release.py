"""`certs rotate` and `certs inspect` find a release by its labels and refuse what is missing or belongs to another one."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs import injection, plan
from certs.__main__ import main
from certs.keeper import CertificateKeeper, CertificateLocation
from certs.material import authorities_in, from_secret, is_valid, to_secret
from certs.service_names import service_names
from local.apiserver import ApiServer
from shared.kinds import MUTATING, SECRET, SERVICE, VALIDATING, Kind
from shared.kube.client import connect
from shared.kube.client.api import Api
from shared.kube.client.transport import Transport
from shared.model.types import Body
from webhook.server.configurations import configurations

NAMESPACE = "default"
CLUSTER_ROLE = Kind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDING = Kind(
    "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False
)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ApiServer]:
    async with ApiServer.start(tmp_path) as running:
        yield running


@pytest.fixture
async def api(server: ApiServer) -> AsyncIterator[Api]:
    async with Api(Transport(await connect.load(str(server.kubeconfig)))) as client:
        yield client


def labels(release: str) -> Body:
    return {
        "app.kubernetes.io/name": "jobflow",
        "app.kubernetes.io/component": "webhook",
        "app.kubernetes.io/instance": release,
    }


async def install(api: Api, release: str) -> None:
    """What the chart installs of a release, and what its webhook writes."""
    meta = {"name": f"{release}-webhook", "namespace": NAMESPACE, "labels": labels(release)}
    ports = [{"port": 443, "targetPort": 8443}]
    await api.create(SERVICE, {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": ports}})
    meta = meta | {"name": f"{release}-webhook-certs"}
    await api.create(SECRET, {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": meta})
    service = {"service": {"name": f"{release}-webhook", "namespace": NAMESPACE}}
    for kind, body in configurations(f"{NAMESPACE}.{release}", service, b""):
        for hook in body["webhooks"]:
            del hook["clientConfig"]["caBundle"]
        body["metadata"]["labels"] = labels(release)
        await api.create(kind, body)
    await CertificateKeeper(api, location(release), lambda: datetime.now(UTC)).look()  # noqa: TID251 - for OpenSSL


def location(release: str) -> CertificateLocation:
    names = service_names(f"{release}-webhook", NAMESPACE)
    return CertificateLocation(NAMESPACE, f"{release}-webhook-certs", names, (f"{NAMESPACE}.{release}",))


async def run(server: ApiServer, *arguments: str) -> int:
    kubeconfig = f"--kubeconfig={server.kubeconfig}"
    return await asyncio.to_thread(main, [arguments[0], kubeconfig, f"--namespace={NAMESPACE}", *arguments[1:]])


async def state(api: Api) -> list[Body]:
    """All Secrets and configurations, to see what a command changed."""
    kinds = (SECRET, MUTATING, VALIDATING)
    return [each for kind in kinds async for each in api.list(kind, NAMESPACE if kind == SECRET else "")]


async def trusted(api: Api, release: str) -> set[bytes]:
    found = [await api.get(kind, "", f"{NAMESPACE}.{release}") for kind in (MUTATING, VALIDATING)]
    return {base64.b64decode(hook["clientConfig"]["caBundle"]) for each in found for hook in each["webhooks"]}


async def test_rotate_finds_the_only_release_of_the_namespace(
    server: ApiServer, api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    await install(api, "flows")
    (before,) = await trusted(api, "flows")
    assert await run(server, "rotate") == 0
    (after,) = await trusted(api, "flows")
    assert set(authorities_in(before)) < set(authorities_in(after))
    said = capsys.readouterr().out
    assert "Secret default/flows-webhook-certs and webhook configurations default.flows contain 2 CAs" in said
    assert len(await state(api)) == 3
    assert await run(server, "rotate") == 0  # again, before the rotation is complete
    assert await trusted(api, "flows") == {after}
    assert await run(server, "inspect", "-o=json") == 0
    assert '"names": [\n      "flows-webhook.default.svc"' in capsys.readouterr().out


async def test_rotate_of_one_release_does_not_touch_another(server: ApiServer, api: Api) -> None:
    for release in ("a", "b"):
        await install(api, release)
    before = [each for each in await state(api) if "b" in each["metadata"]["labels"].values()]
    assert await run(server, "rotate", "--release=a") == 0
    assert [each for each in await state(api) if "b" in each["metadata"]["labels"].values()] == before
    (bundle,) = await trusted(api, "a")
    assert len(authorities_in(bundle)) == 2


REFUSED: dict[str, tuple[list[str], str]] = {
    "no release chosen of two": ([], "several releases in namespace default (a, b): choose one with --release"),
    "an unknown release": (
        ["--release=jobflow"],
        "no webhook Service of release jobflow in namespace default; releases there: a, b",
    ),
    "a namespace without release": (
        ["--namespace=jobflow-system"],
        "no webhook Service of a release in namespace jobflow-system; set --namespace to the namespace of the release",
    ),
    "a Secret that does not exist": (
        ["--release=a", "--secret=jobflow-webhook-certs"],
        "Secret jobflow-webhook-certs does not exist in namespace default",
    ),
    "a Service that does not exist": (
        ["--service=jobflow-webhook"],
        "Service jobflow-webhook does not exist in namespace default",
    ),
    "a configuration that does not exist": (
        ["--release=a", "--webhook-configuration=jobflow"],
        "MutatingWebhookConfiguration jobflow does not exist",
    ),
    "a configuration of another release": (
        ["--release=a", "--webhook-configuration=default.b"],
        "MutatingWebhookConfiguration default.b calls default/b-webhook, not Service default/a-webhook",
    ),
    "a Secret of another release": (
        ["--release=a", "--secret=b-webhook-certs"],
        "MutatingWebhookConfiguration default.a does not trust the certificate in Secret default/b-webhook-certs",
    ),
}


async def test_rotate_refuses_and_changes_nothing(
    server: ApiServer, api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    for release in ("a", "b"):
        await install(api, release)
    before = await state(api)
    for case, (arguments, wanted) in REFUSED.items():
        assert await run(server, "rotate", *arguments) == 1, case
        said = capsys.readouterr()
        assert f"error: {wanted}" in said.err, case
        assert said.out == "", case
        assert await state(api) == before, case


@pytest.mark.parametrize("missing", [SECRET, MUTATING, VALIDATING], ids=lambda kind: kind.kind)
async def test_rotate_refuses_a_release_with_a_missing_object(
    server: ApiServer, api: Api, capsys: pytest.CaptureFixture[str], missing: Kind
) -> None:
    await install(api, "a")
    await api.delete(
        missing, NAMESPACE if missing == SECRET else "", "a-webhook-certs" if missing == SECRET else "default.a"
    )
    before = await state(api)
    assert await run(server, "rotate") == 1
    assert ("no Secrets of release a" if missing == SECRET else f"{missing.kind}: none") in capsys.readouterr().err
    assert await state(api) == before


async def test_rotate_refuses_a_damaged_secret(server: ApiServer, api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    await install(api, "a")
    await api.patch(SECRET, NAMESPACE, "a-webhook-certs", {"data": {"tls.crt": None}})
    before = await state(api)
    for verb in ("rotate", "inspect"):
        assert await run(server, verb) == 1
        assert "Secret default/a-webhook-certs holds no usable certificates" in capsys.readouterr().err
    assert await state(api) == before


# What an operator may change, and what the API server then says.
RIGHTS: dict[str, tuple[set[str], str]] = {
    "nothing": (set(), 'cannot update resource "secrets"'),
    "only the Secret": ({"secrets"}, 'cannot patch resource "mutatingwebhookconfigurations"'),
    "only one configuration": (
        {"secrets", "mutatingwebhookconfigurations"},
        'cannot patch resource "validatingwebhookconfigurations"',
    ),
}


@pytest.mark.parametrize("case", RIGHTS)
async def test_rotate_changes_nothing_without_the_right_to_change_everything(
    server: ApiServer, api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    await install(api, "a")
    writable, wanted = RIGHTS[case]
    resources = ("services", "secrets", "mutatingwebhookconfigurations", "validatingwebhookconfigurations")
    rules = [
        {"apiGroups": ["*"], "resources": [each], "verbs": ["get", "list", *(["update", "patch"] * (each in writable))]}
        for each in resources
    ]
    meta = {"metadata": {"name": "operator"}}
    await api.create(CLUSTER_ROLE, {**meta, "rules": rules})
    bound = {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "operator"},
        "subjects": [{"kind": "ServiceAccount", "name": "operator", "namespace": NAMESPACE}],
    }
    await api.create(CLUSTER_ROLE_BINDING, {**meta, **bound})
    server.core.options.rbac = True
    file = tmp_path / "operator.kubeconfig"
    file.write_text(server.core.kubeconfig(server.core.auth.service_account(NAMESPACE, "operator")))
    before = await state(api)
    arguments = ["rotate", f"--kubeconfig={file}", f"--namespace={NAMESPACE}"]
    assert await asyncio.to_thread(main, arguments) == 1
    assert wanted in capsys.readouterr().err
    assert await state(api) == before


async def test_inspect_shows_a_secret_that_has_no_key_of_the_ca(
    server: ApiServer, api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    """As cert-manager and `certificates.source=existing` leave it."""
    await install(api, "a")
    await api.patch(SECRET, NAMESPACE, "a-webhook-certs", {"data": {"ca.key": None}})
    assert await run(server, "inspect", "--secret=a-webhook-certs") == 0
    assert "a-webhook.default.svc" in capsys.readouterr().out
    assert await run(server, "rotate", "--secret=a-webhook-certs") == 1
    assert "does not contain the key of its CA (ca.key)" in capsys.readouterr().err


async def test_a_secret_of_cert_manager_is_shown_and_not_rotated(
    server: ApiServer, api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the key of a CA that the webhook had left in it, too."""
    await install(api, "a")
    annotated = {"metadata": {"annotations": {"cert-manager.io/certificate-name": "mine"}}}
    await api.patch(SECRET, NAMESPACE, "a-webhook-certs", annotated)
    for change in ({}, {"data": {"ca.key": None}}):
        await api.patch(SECRET, NAMESPACE, "a-webhook-certs", change)
        before = await state(api)
        assert await run(server, "rotate") == 1
        said = capsys.readouterr().err
        assert "Secret default/a-webhook-certs is issued by cert-manager (Certificate mine)" in said
        assert await run(server, "inspect") == 0
        assert "a-webhook.default.svc" in capsys.readouterr().out
        assert await state(api) == before


# From when until when, in days from now, and what `inspect` says of serving certificate and CA.
DATES: dict[str, tuple[int, str, str]] = {
    "valid": (-100, "ends ", "ends "),
    "serving certificate expired": (-366, "EXPIRED since ", "ends "),
    "both expired": (-3651, "EXPIRED since ", "EXPIRED since "),
    "issued by a clock that was ahead": (2, "NOT VALID BEFORE ", "NOT VALID BEFORE "),
}


@pytest.mark.parametrize(("days", "serving", "authority"), DATES.values(), ids=DATES)
async def test_inspect_says_which_certificates_are_not_valid_and_rotate_replaces_them(
    server: ApiServer, api: Api, capsys: pytest.CaptureFixture[str], days: int, serving: str, authority: str
) -> None:
    await install(api, "a")
    now = datetime.now(UTC)  # noqa: TID251 - the command reads the wall clock
    names = location("a").names
    issued = plan.apply_step(plan.RotationStep.ISSUE_ALL, None, names, now + timedelta(days=days))
    await api.patch(SECRET, NAMESPACE, "a-webhook-certs", to_secret(issued, NAMESPACE, "a-webhook-certs"))
    for kind in (MUTATING, VALIDATING):
        body = await api.get(kind, "", f"{NAMESPACE}.a")
        await api.patch(kind, "", f"{NAMESPACE}.a", injection.patch(body, issued.bundle))
    assert await run(server, "inspect") == 0
    shown = capsys.readouterr().out
    assert f"serving certificate  {serving}" in shown
    assert f"authority            {authority}" in shown
    assert await run(server, "rotate") == 0
    said = capsys.readouterr().out
    assert ("of the newest within a minute" in said) is (days != -100)
    material = from_secret(await api.get(SECRET, NAMESPACE, "a-webhook-certs"))
    assert material is not None
    assert is_valid(material.certificate, now + timedelta(minutes=1))
    (bundle,) = await trusted(api, "a")
    assert material.signer in authorities_in(bundle)
    assert is_valid(authorities_in(bundle)[0], now + timedelta(minutes=1))
