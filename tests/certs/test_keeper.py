"""One Secret, any number of keepers: races, damage, missing configurations and missing rights."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs import plan
from certs.issue import new_authority
from certs.keeper import CertificateKeeper, CertificateLocation, KeeperResult
from certs.material import (
    CHANGED_AT,
    MAX_AUTHORITIES,
    Material,
    authorities_in,
    from_secret,
    is_valid,
    signed_by,
    to_secret,
)
from certs.plan import CHECK_EVERY, SETTLE
from certs.service_names import service_names
from local.apiserver import ApiServer, InjectedFault
from shared.kinds import MUTATING, SECRET, VALIDATING, Kind
from shared.kube.client import connect
from shared.kube.client.api import Api
from shared.kube.client.errors import ApiError, Conflict, Forbidden
from shared.kube.client.transport import Transport
from shared.model.types import Body
from webhook.server.configurations import configurations

NAME, NAMESPACE, HOOKS = "jobflow-webhook-certs", "default", "jobflow"
PLACE = CertificateLocation(NAMESPACE, NAME, service_names("jobflow-webhook", NAMESPACE), (HOOKS,))


class SteppedClock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2027, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ApiServer]:
    async with ApiServer.start(tmp_path) as running:
        yield running


@pytest.fixture
async def api(server: ApiServer) -> AsyncIterator[Api]:
    async with Api(Transport(await connect.load(str(server.kubeconfig)))) as client:
        yield client


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


async def register(api: Api) -> None:
    """Both configurations, as the chart makes them: without a bundle that is right."""
    service = {"service": {"name": "jobflow-webhook", "namespace": NAMESPACE}}
    for kind, body in configurations(HOOKS, service, b""):
        for hook in body["webhooks"]:
            del hook["clientConfig"]["caBundle"]
        await api.create(kind, body)


async def bundles(api: Api) -> set[bytes]:
    found = [await api.get(kind, "", HOOKS) for kind in (MUTATING, VALIDATING)]
    return {base64.b64decode(hook["clientConfig"].get("caBundle", "")) for body in found for hook in body["webhooks"]}


async def replaced(api: Api, material: Material) -> None:
    """The Secret, as somebody else writes it."""
    await api.patch(SECRET, NAMESPACE, NAME, {"data": to_secret(material, NAMESPACE, NAME)["data"]})


async def registered_by_hand(api: Api, kind: Kind, bundle: bytes) -> None:
    """The bundle of every webhook of a configuration, as somebody else writes it."""
    hooks = (await api.get(kind, "", HOOKS))["webhooks"]
    value = base64.b64encode(bundle).decode()
    change = [
        {"op": "add", "path": f"/webhooks/{at}/clientConfig/caBundle", "value": value} for at in range(len(hooks))
    ]
    await api.patch(kind, "", HOOKS, change)


async def trusts_all(api: Api, served: list[Material]) -> bool:
    (trusted,) = await bundles(api)
    return all(any(signed_by(each.certificate, ca) for ca in authorities_in(trusted)) for each in served)


async def settled(keeper: CertificateKeeper, clock: SteppedClock) -> KeeperResult:
    """The state once no step is due any more; time passes between the calls."""
    for _ in range(12):
        kept = await keeper.look()
        if kept.next_look == CHECK_EVERY:
            return kept
        clock.now += SETTLE
    raise AssertionError(f"no rest: {kept}")


async def test_missing_certificates_are_issued_and_injected(api: Api, clock: SteppedClock) -> None:
    await register(api)
    kept = await CertificateKeeper(api, PLACE, clock).look()
    assert kept.trusted
    assert await bundles(api) == {kept.material.bundle}
    assert from_secret(await api.get(SECRET, NAMESPACE, NAME)) == kept.material


async def test_keepers_that_start_together_agree_on_one_ca(api: Api, clock: SteppedClock) -> None:
    await register(api)
    found = await asyncio.gather(*(CertificateKeeper(api, PLACE, clock).look() for _ in range(5)))
    assert len({kept.material.bundle for kept in found}) == 1
    assert len({kept.material.serving.certificate for kept in found}) == 1
    assert await bundles(api) == {found[0].material.bundle}


async def test_the_empty_secret_of_the_chart_is_filled_and_keeps_its_labels(api: Api, clock: SteppedClock) -> None:
    meta = {"name": NAME, "namespace": NAMESPACE, "labels": {"helm.sh/chart": "jobflow-1"}}
    await api.create(SECRET, {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": meta})
    await register(api)
    assert (await CertificateKeeper(api, PLACE, clock).look()).trusted
    stored = await api.get(SECRET, NAMESPACE, NAME)
    assert stored["metadata"]["labels"] == {"helm.sh/chart": "jobflow-1"}
    assert set(stored["data"]) == {"ca.crt", "ca.key", "tls.crt", "tls.key"}


DAMAGE: dict[str, Body] = {
    "no certificate": {"tls.crt": None},
    "no CA": {"ca.crt": None},
    "no PEM": {"tls.crt": base64.b64encode(b"nonsense").decode()},
    "a CA that is none": {"ca.crt": base64.b64encode(b"nonsense").decode()},
    "an empty key of the CA": {"ca.key": ""},
    "a key of the CA that is none": {"ca.key": base64.b64encode(b"nonsense").decode()},
    "a serving key that is none": {"tls.key": base64.b64encode(b"nonsense").decode()},
}


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE)
async def test_a_damaged_secret_is_reissued(api: Api, clock: SteppedClock, change: Body) -> None:
    await register(api)
    keeper = CertificateKeeper(api, PLACE, clock)
    await settled(keeper, clock)
    await api.patch(SECRET, NAMESPACE, NAME, {"data": change})
    healed = await settled(keeper, clock)
    assert signed_by(healed.material.certificate, healed.material.authorities[0])
    assert await bundles(api) == {healed.material.bundle}
    assert healed.material.can_sign
    assert healed.material.can_serve


async def test_a_rotation_ends_with_the_new_ca_and_never_serves_an_untrusted_certificate(
    api: Api, clock: SteppedClock
) -> None:
    await register(api)
    keeper = CertificateKeeper(api, PLACE, clock)
    old = (await settled(keeper, clock)).material
    await keeper.look(rotate=True)
    for _ in range(8):
        kept = await keeper.look()
        (trusted,) = await bundles(api)
        assert trusted == kept.material.bundle
        assert kept.material.signer is not None
        clock.now += SETTLE / 2
    new = (await settled(keeper, clock)).material
    assert len(new.authorities) == 1
    assert new.bundle != old.bundle
    assert await bundles(api) == {new.bundle}


async def test_without_configurations_nothing_is_trusted_until_they_appear(api: Api, clock: SteppedClock) -> None:
    keeper = CertificateKeeper(api, PLACE, clock)
    kept = await keeper.look()
    assert not kept.trusted
    assert kept.next_look == SETTLE
    await register(api)
    assert (await keeper.look()).trusted
    assert await bundles(api) == {kept.material.bundle}


async def test_a_removed_bundle_is_injected_again(api: Api, clock: SteppedClock) -> None:
    await register(api)
    keeper = CertificateKeeper(api, PLACE, clock)
    kept = await keeper.look()
    change = [{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]
    await api.patch(VALIDATING, "", HOOKS, change)
    assert len(await bundles(api)) == 2
    await keeper.look()
    assert await bundles(api) == {kept.material.bundle}


async def test_missing_permissions_raise(server: ApiServer, clock: SteppedClock, tmp_path: Path) -> None:
    server.core.options.rbac = True
    token = server.core.auth.service_account(NAMESPACE, "nobody")
    file = tmp_path / "nobody.kubeconfig"
    file.write_text(server.core.kubeconfig(token))
    async with Api(Transport(await connect.load(str(file)))) as nobody:
        with pytest.raises(Forbidden, match="secrets"):
            await CertificateKeeper(nobody, PLACE, clock).look()


async def test_an_unavailable_api_server_raises(api: Api, server: ApiServer, clock: SteppedClock) -> None:
    server.core.faults.add(InjectedFault("500", resources=("secrets",)))
    with pytest.raises(ApiError, match="injected"):
        await CertificateKeeper(api, PLACE, clock).look()


@pytest.mark.parametrize("change", [None, *DAMAGE.values()], ids=["deleted", *DAMAGE])
async def test_a_lost_secret_never_makes_a_served_certificate_untrusted(
    api: Api, clock: SteppedClock, change: Body | None
) -> None:
    await register(api)
    first, second = CertificateKeeper(api, PLACE, clock), CertificateKeeper(api, PLACE, clock)
    await settled(first, clock)
    served = [(await keeper.look()).material for keeper in (first, second)]
    if change is None:
        await api.delete(SECRET, NAMESPACE, NAME)
    else:
        await api.patch(SECRET, NAMESPACE, NAME, {"data": change})
    for turn in range(12):
        number = turn % 2  # the replicas look in turn, so that each serves its last certificate for a while
        served[number] = (await (first, second)[number].look()).material
        assert await trusts_all(api, served)
        clock.now += SETTLE / 2
    assert len((await settled(first, clock)).material.authorities) == 1


async def test_a_new_process_without_secret_keeps_the_registered_ca(api: Api, clock: SteppedClock) -> None:
    await register(api)
    old = (await settled(CertificateKeeper(api, PLACE, clock), clock)).material
    await api.delete(SECRET, NAMESPACE, NAME)
    kept = await CertificateKeeper(api, PLACE, clock).look()
    assert kept.material.serving != old.serving
    assert [*old.authorities] == [*kept.material.authorities[1:]]
    assert await bundles(api) == {kept.material.bundle}


async def test_the_registered_ca_stays_trusted_when_the_secret_is_replaced(api: Api, clock: SteppedClock) -> None:
    await register(api)
    old = (await settled(CertificateKeeper(api, PLACE, clock), clock)).material
    other = plan.apply_step(plan.RotationStep.ISSUE_ALL, None, PLACE.names, clock.now)
    await replaced(api, other)
    keeper = CertificateKeeper(api, PLACE, clock)
    kept = await keeper.look()
    assert kept.material.serving == other.serving
    assert [*kept.material.authorities] == [*other.authorities, *old.authorities]
    assert await bundles(api) == {kept.material.bundle}
    assert (await settled(keeper, clock)).material.bundle == other.bundle


async def test_a_secret_restored_from_a_backup_makes_no_served_certificate_untrusted(
    api: Api, clock: SteppedClock
) -> None:
    """The backup is of the time before the last rotation, and its CA is still trusted beside the newer one."""
    await register(api)
    keeper = CertificateKeeper(api, PLACE, clock)
    backup = (await settled(keeper, clock)).material
    await keeper.look(rotate=True)
    clock.now += SETTLE
    served = (await keeper.look()).material
    assert served.certificate != backup.certificate
    await replaced(api, backup)
    restarted = CertificateKeeper(api, PLACE, clock)  # it serves nothing yet
    await restarted.look()
    assert await trusts_all(api, [served, backup])
    rested = await settled(restarted, clock)
    assert rested.material.authorities == backup.authorities
    assert await bundles(api) == {backup.bundle}


async def test_a_secret_replaced_after_its_ca_was_added_by_hand_makes_no_served_certificate_untrusted(
    api: Api, clock: SteppedClock
) -> None:
    await register(api)
    keeper = CertificateKeeper(api, PLACE, clock)
    served = (await settled(keeper, clock)).material
    other = plan.apply_step(plan.RotationStep.ISSUE_ALL, None, PLACE.names, clock.now + SETTLE)
    for kind in (MUTATING, VALIDATING):
        await registered_by_hand(api, kind, served.bundle + other.bundle)
    await replaced(api, other)
    await keeper.look()
    assert await trusts_all(api, [served, other])
    assert (await settled(keeper, clock)).material.bundle == other.bundle
    assert await bundles(api) == {other.bundle}


async def test_a_newer_ca_that_somebody_adds_to_the_configurations_does_not_stay(api: Api, clock: SteppedClock) -> None:
    await register(api)
    keeper = CertificateKeeper(api, PLACE, clock)
    own = (await settled(keeper, clock)).material
    clock.now += SETTLE
    foreign = plan.apply_step(plan.RotationStep.ISSUE_ALL, None, PLACE.names, clock.now).bundle
    await registered_by_hand(api, VALIDATING, own.bundle + foreign)
    assert (await settled(keeper, clock)).material.bundle == own.bundle
    assert await bundles(api) == {own.bundle}


@pytest.mark.parametrize("rotate", [False, True])
async def test_more_cas_in_the_configurations_than_a_bundle_holds_do_not_stop_a_rotation(
    api: Api, clock: SteppedClock, rotate: bool
) -> None:
    await register(api)
    keeper = CertificateKeeper(api, PLACE, clock)
    own = (await settled(keeper, clock)).material
    clock.now += SETTLE
    foreign = [new_authority("other", clock.now).certificate for _ in range(MAX_AUTHORITIES + 1)]
    for kind in (MUTATING, VALIDATING):
        await registered_by_hand(api, kind, own.bundle + b"".join(foreign))
    await CertificateKeeper(api, PLACE, clock).look(rotate=rotate)
    assert await trusts_all(api, [own])
    last = (await settled(keeper, clock)).material
    assert len(last.authorities) == 1
    assert (last.bundle != own.bundle) is rotate
    assert await bundles(api) == {last.bundle}


STAMPS = {
    "without a zone": "2026-01-01T00:00:00",
    "far in the future": "2099-01-01T00:00:00Z",
    "no time": "yesterday",
    "empty": "",
}


@pytest.mark.parametrize("stamp", STAMPS.values(), ids=STAMPS)
async def test_a_rotation_ends_whatever_the_time_of_the_last_change_says(
    api: Api, clock: SteppedClock, stamp: str
) -> None:
    await register(api)
    keeper = CertificateKeeper(api, PLACE, clock)
    old = (await settled(keeper, clock)).material
    await keeper.look(rotate=True)
    await api.patch(SECRET, NAMESPACE, NAME, {"metadata": {"annotations": {CHANGED_AT: stamp}}})
    new = (await settled(keeper, clock)).material
    assert not set(old.authorities) & set(new.authorities)
    assert await bundles(api) == {new.bundle}


async def test_a_secret_that_cert_manager_issues_is_left_unchanged(api: Api, clock: SteppedClock) -> None:
    await register(api)
    keeper = CertificateKeeper(api, PLACE, clock)
    own = (await settled(keeper, clock)).material
    other = plan.apply_step(plan.RotationStep.ISSUE_ALL, None, PLACE.names, clock.now)
    data = {**to_secret(other, NAMESPACE, NAME)["data"], "ca.key": None}
    annotated = {"metadata": {"annotations": {"cert-manager.io/certificate-name": "mine"}}}
    await api.patch(SECRET, NAMESPACE, NAME, {"data": data, **annotated})
    before = await api.get(SECRET, NAMESPACE, NAME)
    for each in (keeper, CertificateKeeper(api, PLACE, clock)):
        with pytest.raises(Conflict, match=r"issued by cert-manager \(Certificate mine\), so it is left unchanged"):
            await each.look()
    assert await api.get(SECRET, NAMESPACE, NAME) == before
    assert await bundles(api) == {own.bundle}


async def test_certificates_of_a_clock_that_was_ahead_are_replaced_at_once(api: Api, clock: SteppedClock) -> None:
    await register(api)
    clock.now += timedelta(days=2)
    ahead = (await CertificateKeeper(api, PLACE, clock).look()).material
    clock.now -= timedelta(days=2)
    kept = await CertificateKeeper(api, PLACE, clock).look()
    assert is_valid(kept.material.certificate, clock.now)
    assert kept.material.signer == kept.material.authorities[0]
    assert is_valid(kept.material.authorities[0], clock.now)
    assert await trusts_all(api, [ahead, kept.material])
    clock.now += timedelta(days=2)
    late = CertificateKeeper(api, PLACE, clock)  # the replica whose clock is ahead changes nothing
    assert (await settled(late, clock)).material.serving == kept.material.serving
