"""Certificates and kubeconfigs of a local control plane."""

import base64
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_START, _END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)
_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_ADDRESSES = ("127.0.0.1", "10.0.0.1")
_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True)
class SignedCertificate:
    """A certificate and its key, PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        places = folder / f"{name}.crt", folder / f"{name}.key"
        places[0].write_bytes(self.certificate)
        places[1].write_bytes(self.key)
        return places


class CertificateAuthority:
    """A CA that signs serving and client certificates, with the extensions that Python 3.13 and later insist on."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("test-ca", "")
        self._certificate = (
            _builder(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_SIGNS_CERTIFICATES, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def pair(self) -> SignedCertificate:
        return SignedCertificate(self.pem, _pem(self._key))

    def serving(self) -> SignedCertificate:
        addresses = [x509.IPAddress(ipaddress.ip_address(each)) for each in _ADDRESSES]
        names = x509.SubjectAlternativeName([*map(x509.DNSName, _NAMES), *addresses])
        return self._issue("kube-apiserver", "", ExtendedKeyUsageOID.SERVER_AUTH, names)

    def client(self, user: str, group: str = "") -> SignedCertificate:
        return self._issue(user, group, ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def _issue(
        self, user: str, group: str, usage: x509.ObjectIdentifier, names: x509.SubjectAlternativeName | None
    ) -> SignedCertificate:
        key = ec.generate_private_key(ec.SECP256R1())
        made = (
            _builder(_name(user, group), self._name, key.public_key())
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names is not None:
            made = made.add_extension(names, critical=False)
        signed = made.sign(self._key, hashes.SHA256())
        return SignedCertificate(signed.public_bytes(serialization.Encoding.PEM), _pem(key))


def signing_key() -> tuple[bytes, bytes]:
    """Private and public key for service-account tokens."""
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _pem(key), public


def kubeconfig(server: str, authority: bytes, user: SignedCertificate) -> str:
    def encoded(content: bytes) -> str:
        return base64.b64encode(content).decode()

    cluster = {"server": server, "certificate-authority-data": encoded(authority)}
    who = {"client-certificate-data": encoded(user.certificate), "client-key-data": encoded(user.key)}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "local", "cluster": cluster}],
            "users": [{"name": "local", "user": who}],
            "contexts": [{"name": "local", "context": {"cluster": "local", "user": "local"}}],
            "current-context": "local",
        }
    )


def _name(user: str, group: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, user)]
    if group:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(parts)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=_START,
        not_valid_after=_END,
    )


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
