"""Sources of the serving certificate: files that another component renews, or our own Secret. Each source is a loop
that loads
the certificate again when it changes and reports whether the API server trusts it."""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

from certs import injection
from certs.handshake import trust_error
from shared.kinds import MUTATING, VALIDATING
from shared.kube.client.errors import ApiError, NotFound
from shared.kube.client.reader import ApiReader
from webhook.server.tls import BadCertificate, CertificateFiles, ServingCertificate

if TYPE_CHECKING:
    from certs.keeper import CertificateKeeper, KeeperResult

LOG: Final = logging.getLogger(__name__)
LOOK_SECONDS: Final = 2.0  # interval of reading the files
SECRET_SECONDS: Final = 15.0  # interval of reading the Secret, which another replica may have changed
RETRY_SECONDS: Final = 5.0


class TrustCheck:
    """A readiness check: why the API server does not trust the certificate yet; '' if it does."""

    def __init__(self, reason: str = "") -> None:
        self.reason = reason

    def __call__(self) -> str:
        return self.reason


async def watch_files(
    serving: ServingCertificate,
    trust: TrustCheck,
    certificate: str,
    key: str,
    authority: str = "",
    seconds: float = LOOK_SECONDS,
) -> None:
    """Serve the certificate of the files and reload it when they change. An unusable pair is logged and not served.

    `authority`: file with the CA bundle of the webhook configurations; '' if unknown.
    """
    files = CertificateFiles(certificate, key)
    complaint = ""
    while True:
        try:
            pair = files.read()
            serving.use(*pair)
            trust.reason = _mistrust(pair[0], authority)
            complaint = ""
        except BadCertificate as error:
            if str(error) != complaint:  # log each error once
                complaint = str(error)
                LOG.error("certificate not usable", extra={"file": certificate, "error": complaint})
        await asyncio.sleep(seconds)


async def keep_secret(
    serving: ServingCertificate, trust: TrustCheck, keeper: "CertificateKeeper", seconds: float = SECRET_SECONDS
) -> None:
    """Serve the certificate of the Secret. Together with the other replicas issue and rotate it and inject its CA.

    While the Secret cannot be kept, the process is ready only as long as its certificate is valid.
    """
    kept: KeeperResult | None = None
    while True:
        pause = seconds
        try:
            kept = await keeper.look()
            serving.use(kept.material.serving.certificate, kept.material.serving.key)
            trust.reason = _not_injected(kept)
            pause = min(seconds, kept.next_look.total_seconds())
        except (ApiError, BadCertificate) as error:
            LOG.error("certificate not kept", extra={"error": str(error)})
            if kept is None or not serving.loaded:
                trust.reason = f"no certificate: {error}"
            else:
                fault = trust_error(serving.context, kept.material.bundle, kept.material.names[0])
                refused = f"its certificate is not accepted ({fault}) and not replaced: {error}"
                trust.reason = refused if fault else _not_injected(kept)
            pause = min(seconds, RETRY_SECONDS)
        await asyncio.sleep(pause if trust.reason == "" else min(pause, RETRY_SECONDS))


def _not_injected(kept: "KeeperResult") -> str:
    return "" if kept.trusted else "the webhook configurations do not contain its CA"


class RegisteredBundles:
    """Reads the CA bundles of the webhook configurations of these names."""

    def __init__(self, api: ApiReader, configurations: tuple[str, ...]) -> None:
        self._api = api
        self._configurations = configurations

    async def bundles(self) -> set[bytes]:
        """The distinct CA bundles (PEM). Raises ApiError, and ValueError for a bundle that is not base64."""
        found = [
            await self._api.get(kind, "", name) for name in self._configurations for kind in (MUTATING, VALIDATING)
        ]
        return set[bytes]().union(*map(injection.bundles, found))


async def compare(
    serving: ServingCertificate,
    trust: TrustCheck,
    registered: RegisteredBundles,
    name: str,
    seconds: float = SECRET_SECONDS,
) -> None:
    """Update `trust` from the registered CA bundles, for certificates that another component issues and injects.

    `name`: the Service's DNS name, which the API server verifies. If the configurations cannot be read, `trust` stays.
    """
    while True:
        try:
            if serving.loaded:
                reasons = {trust_error(serving.context, bundle, name) for bundle in await registered.bundles()}
                trust.reason = ", ".join(sorted(filter(None, reasons)))
        except NotFound as error:
            trust.reason = f"webhook configuration not found: {error}"
        except (ApiError, ValueError) as error:
            LOG.error("webhook configurations not read", extra={"error": str(error)})
        await asyncio.sleep(seconds if trust.reason == "" else min(seconds, RETRY_SECONDS))


def _mistrust(certificate: bytes, authority: str) -> str:
    if not authority:
        return ""
    from cryptography import x509  # only here and in the keeper of a Secret, because it takes 8 MiB

    from certs.material import signed_by

    try:
        bundle = x509.load_pem_x509_certificates(Path(authority).read_bytes())
        leaf = x509.load_pem_x509_certificate(certificate)
    except (OSError, ValueError) as error:
        return f"CA bundle {authority}: {error}"
    return "" if any(signed_by(leaf, each) for each in bundle) else f"not signed by a CA of {authority}"
