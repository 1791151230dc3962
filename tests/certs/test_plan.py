"""The plan of certificates: which step is due when, and that a rotation never leaves a client without a trusted path."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import plan
from certs.issue import issue_serving, new_authority
from certs.material import Material, from_secret, signed_by, to_secret
from certs.plan import SETTLE, RotationStep
from certs.service_names import service_names

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = service_names("jobflow-webhook", "ns")
FRESH = plan.apply_step(RotationStep.ISSUE_ALL, None, NAMES, NOW)
ROTATING = plan.apply_step(RotationStep.ADD_AUTHORITY, FRESH, NAMES, NOW)
MOVED = plan.apply_step(RotationStep.REISSUE, ROTATING, NAMES, NOW)
FOREIGN = Material(new_authority("other", NOW).certificate, FRESH.authority_key, FRESH.serving, NOW)
DAY = timedelta(days=1)
SOON = plan.apply_step(RotationStep.ADD_AUTHORITY, FRESH, NAMES, NOW + 2 * DAY)


def shortened(material: Material) -> Material:
    """The same with a CA that ends within a day, before the serving certificate that it signed."""
    (ca,), key = material.authorities, serialization.load_pem_private_key(material.authority_key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    builder = x509.CertificateBuilder().subject_name(ca.subject).issuer_name(ca.issuer).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(ca.not_valid_before_utc).not_valid_after(NOW + DAY)
    short = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return Material(short, material.authority_key, material.serving, material.changed_at)


SHORT = shortened(FRESH)
CASES = {
    "nothing stored": (None, True, timedelta(0), False, RotationStep.ISSUE_ALL),
    "a serving certificate that no CA of the bundle signed": (
        FOREIGN,
        True,
        timedelta(0),
        False,
        RotationStep.ISSUE_ALL,
    ),
    "fresh": (FRESH, True, timedelta(days=1), False, RotationStep.NOTHING),
    "not yet trusted": (FRESH, False, timedelta(days=1), False, RotationStep.NOTHING),
    "serving certificate within 90 days of its end": (FRESH, True, timedelta(days=276), False, RotationStep.REISSUE),
    "CA within 90 days of its end": (FRESH, True, timedelta(days=3561), False, RotationStep.ADD_AUTHORITY),
    "rotation asked for": (FRESH, True, timedelta(days=1), True, RotationStep.ADD_AUTHORITY),
    "rotation asked for twice changes nothing more": (ROTATING, True, timedelta(0), True, RotationStep.NOTHING),
    "new CA not yet noticed": (ROTATING, True, SETTLE / 2, False, RotationStep.NOTHING),
    "new CA not yet trusted": (ROTATING, False, SETTLE * 9, False, RotationStep.NOTHING),
    "new CA trusted and noticed": (ROTATING, True, SETTLE, False, RotationStep.REISSUE),
    "new certificate not yet served by every replica": (MOVED, True, SETTLE / 2, False, RotationStep.NOTHING),
    "new certificate served by every replica": (MOVED, True, SETTLE, False, RotationStep.PRUNE),
    "CA and serving certificate have ended": (FRESH, True, 3651 * DAY, False, RotationStep.ADD_AUTHORITY),
    "new CA beside certificates that have ended": (
        plan.apply_step(RotationStep.ADD_AUTHORITY, FRESH, NAMES, NOW + 3651 * DAY),
        False,
        3651 * DAY,
        False,
        RotationStep.REISSUE,
    ),
    "CA has ended before the serving certificate": (SHORT, True, 2 * DAY, False, RotationStep.ADD_AUTHORITY),
    "new CA beside one that has ended before the serving certificate": (
        plan.apply_step(RotationStep.ADD_AUTHORITY, SHORT, NAMES, NOW + 2 * DAY),
        False,
        2 * DAY,
        False,
        RotationStep.REISSUE,
    ),
    "issued by a clock that was a day ahead": (FRESH, True, -DAY, False, RotationStep.ADD_AUTHORITY),
    "new CA beside certificates that are not valid yet": (
        plan.apply_step(RotationStep.ADD_AUTHORITY, FRESH, NAMES, NOW - DAY),
        False,
        -DAY,
        False,
        RotationStep.REISSUE,
    ),
    "only the serving certificate was issued by a clock that was ahead": (
        plan.apply_step(RotationStep.REISSUE, FRESH, NAMES, NOW + 2 * DAY),
        True,
        DAY,
        False,
        RotationStep.REISSUE,
    ),
    "new CA issued by a clock that was a day ahead": (SOON, True, DAY, False, RotationStep.ADD_AUTHORITY),
    "two new CAs, of which the newest is valid": (
        plan.apply_step(RotationStep.ADD_AUTHORITY, SOON, NAMES, NOW + DAY),
        True,
        DAY,
        False,
        RotationStep.NOTHING,
    ),
}


@pytest.mark.parametrize(("material", "trusted", "later", "rotate", "want"), CASES.values(), ids=CASES.keys())
def test_step_that_is_due(
    material: Material | None, trusted: bool, later: timedelta, rotate: bool, want: RotationStep
) -> None:
    assert plan.next_step(material, NAMES, trusted, NOW + later, rotate) is want


def test_a_certificate_without_a_needed_name_is_reissued() -> None:
    assert plan.next_step(FRESH, (*NAMES, "10.0.0.1"), True, NOW) is RotationStep.REISSUE
    renewed = plan.apply_step(RotationStep.REISSUE, FRESH, (*NAMES, "10.0.0.1"), NOW)
    assert "10.0.0.1" in renewed.names
    assert renewed.bundle == FRESH.bundle


def test_material_survives_the_secret() -> None:
    assert from_secret(to_secret(FRESH, "ns", "certs")) == FRESH


@pytest.mark.parametrize("key", ["ca.crt", "ca.key", "tls.crt", "tls.key"])
def test_an_incomplete_secret_holds_no_material(key: str) -> None:
    secret = to_secret(FRESH, "ns", "certs")
    del secret["data"][key]
    assert from_secret(secret) is None


def test_a_damaged_secret_holds_no_material() -> None:
    secret = to_secret(FRESH, "ns", "certs")
    secret["data"]["ca.crt"] = "bm90IGEgY2VydGlmaWNhdGU="
    assert from_secret(secret) is None


def test_a_serving_certificate_expires_no_later_than_its_ca() -> None:
    authority = new_authority("ca", NOW)
    late = issue_serving(authority, NAMES, NOW + timedelta(days=3600))
    end = x509.load_pem_x509_certificate(authority.certificate).not_valid_after_utc
    assert x509.load_pem_x509_certificate(late.certificate).not_valid_after_utc == end


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.booleans(), st.booleans()), max_size=25))
def test_during_rotation_every_bundle_trusts_every_served_certificate(
    moves: list[tuple[int, bool, bool]],
) -> None:
    """Clients notice a bundle and replicas a certificate at most SETTLE after it changed; all in between must match."""
    material, now, trusted = FRESH, NOW, True
    history = [(NOW - 2 * SETTLE, FRESH)]
    for seconds, rotate, injected in moves:
        now += timedelta(seconds=seconds)
        step = plan.next_step(material, NAMES, trusted, now, rotate)
        if step is not RotationStep.NOTHING:
            material, trusted = plan.apply_step(step, material, NAMES, now), False
            history.append((now, material))
        trusted = trusted or injected
        recent = [entry for since, entry in _lifetimes(history, now) if since > now - SETTLE / 3]
        for held in recent:
            for served in recent:
                assert any(signed_by(served.certificate, authority) for authority in held.authorities)


def _lifetimes(history: list[tuple[datetime, Material]], now: datetime) -> list[tuple[datetime, Material]]:
    """Each material with the moment it was replaced; the present one with now."""
    ends = [start for start, _ in history[1:]] + [now]
    return [(end, material) for end, (_, material) in zip(ends, history, strict=True)]
