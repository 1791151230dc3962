"""Describe the stored certificates: names, expiry and signing CA. Private keys are never shown."""

from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from certs.material import Material


def describe(material: Material, now: datetime) -> dict[str, Any]:
    """The certificates as a JSON value. Times are RFC 3339; `daysLeft` is rounded down."""
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
        f"serving certificate  ends {serving['ends']} ({serving['daysLeft']} days left)",
        f"  names              {', '.join(serving['names'])}",
        f"  signed by          {serving['signedBy']}",
    ]
    for authority in description["authorities"]:
        shown.append(f"authority            ends {authority['ends']} ({authority['daysLeft']} days left)")
        shown.append(f"  fingerprint        {authority['fingerprint']}")
    return shown


def _one(certificate: x509.Certificate, now: datetime) -> dict[str, Any]:
    end = certificate.not_valid_after_utc
    return {"fingerprint": _fingerprint(certificate), "ends": end.isoformat(), "daysLeft": (end - now).days}


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()[:32]
