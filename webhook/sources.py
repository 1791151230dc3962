"""Where the serving certificate comes from, and keeping up with it: files that somebody else renews, or our own Secret."""

import asyncio
import logging
from pathlib import Path
from typing import Final

from cryptography import x509

from certs.keeper import Keeper
from certs.material import signed_by
from shared.kube.errors import ApiError
from webhook.tls import BadCertificate, Files, Serving

LOG: Final = logging.getLogger(__name__)
LOOK_SECONDS: Final = 2.0  # at files
SECRET_SECONDS: Final = 15.0  # at the Secret, which another replica may have changed
RETRY_SECONDS: Final = 5.0


class Trust:
    """Why the API server would not believe the certificate yet; '' when it would. A readiness check."""

    def __init__(self, reason: str = "") -> None:
        self.reason = reason

    def __call__(self) -> str:
        return self.reason


async def watch_files(
    serving: Serving, trust: Trust, certificate: str, key: str, authority: str = "", seconds: float = LOOK_SECONDS
) -> None:
    """Serve what the files hold, now and whenever they change. A pair that does not fit is logged and not served.

    `authority`: file of the CA bundle that webhook configurations hold; '' when nobody says.
    """
    files = Files(certificate, key)
    complaint = ""
    while True:
        try:
            pair = files.read()
            serving.use(*pair)
            trust.reason = _mistrust(pair[0], authority)
            complaint = ""
        except BadCertificate as error:
            if str(error) != complaint:  # once, not at every look
                complaint = str(error)
                LOG.error("certificate not usable", extra={"file": certificate, "error": complaint})
        await asyncio.sleep(seconds)


async def keep_secret(serving: Serving, trust: Trust, keeper: Keeper, seconds: float = SECRET_SECONDS) -> None:
    """Serve what the Secret holds, issue and rotate it with the other replicas, and have the API server trust it."""
    while True:
        pause = seconds
        try:
            kept = await keeper.look()
            serving.use(kept.material.serving.certificate, kept.material.serving.key)
            trust.reason = "" if kept.trusted else "the webhook configurations do not hold its CA"
            pause = min(seconds, kept.next_look.total_seconds())
        except (ApiError, BadCertificate) as error:
            LOG.error("certificate not kept", extra={"error": str(error)})
            pause = min(seconds, RETRY_SECONDS)
        await asyncio.sleep(pause if trust.reason == "" else min(pause, RETRY_SECONDS))


def _mistrust(certificate: bytes, authority: str) -> str:
    if not authority:
        return ""
    try:
        bundle = x509.load_pem_x509_certificates(Path(authority).read_bytes())
        leaf = x509.load_pem_x509_certificate(certificate)
    except (OSError, ValueError) as error:
        return f"CA bundle {authority}: {error}"
    return "" if any(signed_by(leaf, each) for each in bundle) else f"not signed by a CA of {authority}"
