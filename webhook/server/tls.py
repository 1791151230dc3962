"""Server-side TLS: one SSL context for the process, whose certificate can be replaced while connections are open."""

import logging
import os
import ssl
from datetime import datetime
from pathlib import Path
from typing import Final

from certs.handshake import expiry
from webhook import metrics

LOG: Final = logging.getLogger(__name__)


class BadCertificate(Exception):
    """The certificate and key cannot be used. The text says why."""


class ServingCertificate:
    """The certificate in use. The server gets `context` once; `use` changes the certificate of later handshakes."""

    def __init__(self) -> None:
        self.context: Final = _context()
        self._pair: tuple[bytes, bytes] | None = None

    @property
    def loaded(self) -> bool:
        return self._pair is not None

    def use(self, certificate: bytes, key: bytes) -> bool:
        """Use this PEM pair for new handshakes. Returns False if it is in use already.

        Raises BadCertificate if the pair is unusable; the previous pair stays in use.
        """
        if self._pair == (certificate, key):
            return False
        try:
            _load(_context(), certificate, key)  # check the pair first, so that a bad one does not replace the good one
            _load(self.context, certificate, key)
            expires = expiry(self.context, certificate) or _end(certificate)
        except (ssl.SSLError, OSError, ValueError) as error:
            metrics.CERTIFICATE_READS.labels("error").inc()
            raise BadCertificate(str(error)) from error
        self._pair = (certificate, key)
        metrics.CERTIFICATE_READS.labels("success").inc()
        metrics.CERTIFICATE_EXPIRY.set(expires.timestamp())
        LOG.info("serving certificate loaded", extra={"expires": expires.isoformat()})
        return True


class CertificateFiles:
    """A certificate file and its key file, e.g. of a mounted Secret, which the kubelet replaces by a symbolic link."""

    def __init__(self, certificate: str, key: str) -> None:
        self._certificate = Path(certificate)
        self._key = Path(key)

    def read(self) -> tuple[bytes, bytes]:
        """Raises BadCertificate when they cannot be read."""
        try:
            return self._certificate.read_bytes(), self._key.read_bytes()
        except OSError as error:
            metrics.CERTIFICATE_READS.labels("error").inc()
            raise BadCertificate(str(error)) from error


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _load(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load a pair through a file in memory: OpenSSL reads only files, and the container's file system is read-only."""
    memory = os.memfd_create("certificate")
    try:
        os.write(memory, certificate + b"\n" + key)
        context.load_cert_chain(f"/proc/self/fd/{memory}", password=_no_password)
    finally:
        os.close(memory)


def _end(certificate: bytes) -> datetime:
    """When a certificate expires that clients do not accept now."""
    from cryptography import x509  # 8 MiB that a usable certificate does not need

    return x509.load_pem_x509_certificate(certificate).not_valid_after_utc


def _no_password() -> bytes:
    """An empty password: by default OpenSSL prompts on the terminal for the password of an encrypted key."""
    return b""
