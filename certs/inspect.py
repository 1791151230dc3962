"""Describe the stored certificates: names, expiry and signing CA. Private keys are never shown."""

from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from certs.material import Material

VALID: Final = "valid"
EXPIRED: Final = "expired"
EARLY: Final = "not valid yet"


def describe(material: Material, now: datetime) -> dict[str, Any]:
    """The certificates as a JSON value. Times are RFC 3339; `daysLeft` is rounded down and negative after the end."""
    signer = material.signer
    return {
        "serving": {
            **_one(material.certificate, now),
            "names": list(material.names),
            "signedBy": _fingerprint(signer) if signer else "no CA of the bundle; it will be replaced",
        },
        "authorities": [_one(authority, now) for authority in material.authorities],
        "changedAt": material.changed_at.isoformat(),
    }


def lines(description: dict[str, Any]) -> list[str]:
    """The description as lines of text."""
    serving = description["serving"]
    shown = [
        f"serving certificate  {_dates(serving)}",
        f"  names              {', '.join(serving['names'])}",
        f"  signed by          {serving['signedBy']}",
    ]
    for authority in description["authorities"]:
        shown.append(f"authority            {_dates(authority)}")
        shown.append(f"  fingerprint        {authority['fingerprint']}")
    return shown


def _dates(one: dict[str, Any]) -> str:
    if one["state"] == EXPIRED:
        return f"EXPIRED since {one['ends']}"
    if one["state"] == EARLY:
        return f"NOT VALID BEFORE {one['starts']}"
    return f"ends {one['ends']} ({one['daysLeft']} {'day' if one['daysLeft'] == 1 else 'days'} left)"


def _one(certificate: x509.Certificate, now: datetime) -> dict[str, Any]:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return {
        "fingerprint": _fingerprint(certificate),
        "state": VALID if start <= now < end else EARLY if now < start else EXPIRED,
        "starts": start.isoformat(),
        "ends": end.isoformat(),
        "daysLeft": (end - now).days,
    }


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()[:32]
