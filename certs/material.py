"""The content of the Secret with the webhook's certificates, as a frozen value and as Secret data."""

import base64
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certs.issue import CertificatePair

BUNDLE: Final = "ca.crt"  # every CA that may have signed what is served, newest first
AUTHORITY_KEY: Final = "ca.key"  # the newest CA's
CERTIFICATE: Final = "tls.crt"
KEY: Final = "tls.key"
MAX_AUTHORITIES: Final = 8  # of a bundle
CERT_MANAGER: Final = "cert-manager.io/certificate-name"  # annotation: the Certificate whose Secret it is
CHANGED_AT: Final = "jobflow.dev/changed-at"  # annotation: RFC3339, the last change of CA or certificate


class Material(msgspec.Struct, frozen=True):
    """CAs (PEM, newest first), the newest CA's key, the serving certificate with its key, and the time of the last change."""

    bundle: bytes
    authority_key: bytes
    serving: CertificatePair
    changed_at: datetime

    @property
    def authorities(self) -> tuple[x509.Certificate, ...]:
        return tuple(x509.load_pem_x509_certificates(self.bundle))

    @property
    def newest(self) -> CertificatePair:
        """The newest CA, which signs new certificates."""
        return CertificatePair(self.authorities[0].public_bytes(serialization.Encoding.PEM), self.authority_key)

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.serving.certificate)

    @property
    def signer(self) -> x509.Certificate | None:
        """The CA of the bundle that signed the serving certificate."""
        return next((ca for ca in self.authorities if signed_by(self.certificate, ca)), None)

    @property
    def can_sign(self) -> bool:
        """Whether the stored key is the newest CA's."""
        return _is_key_of(self.authority_key, self.authorities[0])

    @property
    def can_serve(self) -> bool:
        """Whether the stored key is the serving certificate's."""
        return _is_key_of(self.serving.key, self.certificate)

    @property
    def names(self) -> tuple[str, ...]:
        extension = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return tuple(str(name.value) for name in extension.value)


def add_authorities(bundle: bytes, others: Iterable[bytes]) -> bytes:
    """`bundle` plus the CAs of `others` that it lacks, at most MAX_AUTHORITIES in all. Text that is not PEM is ignored."""
    known = x509.load_pem_x509_certificates(bundle)
    for other in others:
        for authority in authorities_in(other):
            if authority not in known and len(known) < MAX_AUTHORITIES:
                known.append(authority)
    return b"".join(authority.public_bytes(serialization.Encoding.PEM) for authority in known)


def authorities_in(bundle: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM bundle; none if it is empty or damaged."""
    try:
        return x509.load_pem_x509_certificates(bundle)
    except ValueError:
        return []


def is_valid(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether clients accept the dates of the certificate."""
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc


def signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether `authority` signed `certificate` (subject, issuer and signature)."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_key_of(key: bytes, certificate: x509.Certificate) -> bool:
    try:
        private = serialization.load_pem_private_key(key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return isinstance(private, ec.EllipticCurvePrivateKey) and private.public_key() == certificate.public_key()


def foreign_issuer(secret: dict[str, Any]) -> str:
    """The component that issues the certificates in the Secret, as text; '' unless the Secret says that it is another one."""
    name = (secret.get("metadata", {}).get("annotations") or {}).get(CERT_MANAGER)
    return f"cert-manager (Certificate {name})" if name else ""


def from_secret(secret: dict[str, Any]) -> Material | None:
    """The Secret's content; None if it is incomplete or damaged."""
    data = secret.get("data") or {}
    return _read(secret, data) if data.get(AUTHORITY_KEY) is not None else None


def issued_by_others(secret: dict[str, Any]) -> Material | None:
    """The content of a Secret that somebody else fills, who keeps the CA's key; None if it is incomplete or damaged."""
    return _read(secret, {AUTHORITY_KEY: "", **(secret.get("data") or {})})


def _read(secret: dict[str, Any], data: dict[str, str]) -> Material | None:
    try:
        parts = {name: base64.b64decode(data[name]) for name in (BUNDLE, AUTHORITY_KEY, CERTIFICATE, KEY)}
        serving = CertificatePair(parts[CERTIFICATE], parts[KEY])
        material = Material(parts[BUNDLE], parts[AUTHORITY_KEY], serving, _changed_at(secret))
        return material if material.authorities and material.names else None
    except (KeyError, ValueError, x509.ExtensionNotFound):
        return None


def _changed_at(secret: dict[str, Any]) -> datetime:
    """When the Secret says that it was changed; long ago if it does not say so in a readable way."""
    stamp = (secret.get("metadata", {}).get("annotations") or {}).get(CHANGED_AT, "")
    try:
        stated = datetime.fromisoformat(stamp)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)


def to_secret(material: Material, namespace: str, name: str) -> dict[str, Any]:
    """A complete Secret of type Opaque, since type `kubernetes.io/tls` has no key for the CA."""
    parts = {
        BUNDLE: material.bundle,
        AUTHORITY_KEY: material.authority_key,
        CERTIFICATE: material.serving.certificate,
        KEY: material.serving.key,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app.kubernetes.io/name": "jobflow", "app.kubernetes.io/component": "webhook"},
            "annotations": {CHANGED_AT: material.changed_at.strftime("%Y-%m-%dT%H:%M:%SZ")},
        },
        "data": {key: base64.b64encode(value).decode() for key, value in parts.items()},
    }
