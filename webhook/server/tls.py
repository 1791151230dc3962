"""The server's side of TLS: one context for the process, whose certificate is replaced under running connections."""

import logging
import os
import ssl
from pathlib import Path
from typing import Final

from cryptography import x509

from webhook import metrics

LOG: Final = logging.getLogger(__name__)


class BadCertificate(Exception):
    """Certificate and key cannot be used together; the text says why."""


class ServingCertificate:
    """What is served. `context` goes to the server once; `use` changes the pair for the handshakes that follow."""

    def __init__(self) -> None:
        self.context: Final = _context()
        self._pair: tuple[bytes, bytes] | None = None

    @property
    def loaded(self) -> bool:
        return self._pair is not None

    def use(self, certificate: bytes, key: bytes) -> bool:
        """Serve this PEM pair from now on; False when it is served already. Raises BadCertificate and serves on as before."""
        if self._pair == (certificate, key):
            return False
        try:
            _load(_context(), certificate, key)  # a pair that does not match must not touch the one in use
            _load(self.context, certificate, key)
            expires = x509.load_pem_x509_certificate(certificate).not_valid_after_utc
        except (ssl.SSLError, OSError, ValueError) as error:
            metrics.CERTIFICATE_READS.labels("error").inc()
            raise BadCertificate(str(error)) from error
        self._pair = (certificate, key)
        metrics.CERTIFICATE_READS.labels("success").inc()
        metrics.CERTIFICATE_EXPIRY.set(expires.timestamp())
        LOG.info("serving certificate loaded", extra={"expires": expires.isoformat()})
        return True


class CertificateFiles:
    """A pair of files, looked at again and again: mounted Secrets change by a swapped symbolic link."""

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
    """OpenSSL reads files only; this one is in memory, so a read-only file system does and no key is left behind."""
    memory = os.memfd_create("certificate")
    try:
        os.write(memory, certificate + b"\n" + key)
        context.load_cert_chain(f"/proc/self/fd/{memory}", password=_no_password)
    finally:
        os.close(memory)


def _no_password() -> bytes:
    """Without this OpenSSL would ask on the terminal for an encrypted key's password."""
    return b""
