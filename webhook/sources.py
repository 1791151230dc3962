"""Where the serving certificate comes from, and keeping up with it."""

import asyncio
import logging
from typing import Final

from webhook.tls import BadCertificate, Files, Serving

LOG: Final = logging.getLogger(__name__)
LOOK_SECONDS: Final = 2.0


async def watch_files(serving: Serving, certificate: str, key: str, seconds: float = LOOK_SECONDS) -> None:
    """Serve what the files hold, now and whenever they change. A pair that does not fit is logged and not served."""
    files = Files(certificate, key)
    complaint = ""
    while True:
        try:
            serving.use(*files.read())
            complaint = ""
        except BadCertificate as error:
            if str(error) != complaint:  # once, not at every look
                complaint = str(error)
                LOG.error("certificate not usable", extra={"file": certificate, "error": complaint})
        await asyncio.sleep(seconds)
