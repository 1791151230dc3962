"""The certificate that the webhook keeps for itself in one Secret: what it serves follows the Secret, and so does readiness."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from certs.issue import service_names
from certs.keeper import Keeper, Kept, Place
from certs.plan import SETTLE
from shared.kube.api import Api
from shared.kube.errors import ApiError
from webhook.settings import Settings
from webhook.tls import BadCertificate, Serving

LOG: Final = logging.getLogger(__name__)
# A replica must serve a new certificate well before the old CA can leave the bundle, which is SETTLE later.
LOOK_SECONDS: Final = SETTLE.total_seconds() / 3
RETRY_SECONDS: Final = 2.0


class SelfIssued:
    """Keeps and serves; `problem` is a readiness check. `clock` gives an aware datetime."""

    def __init__(self, api: Api, settings: Settings, serving: Serving, clock: Callable[[], datetime]) -> None:
        names = service_names(settings.service_name, settings.namespace)
        place = Place(settings.namespace, settings.cert_secret, names, settings.webhook_configuration)
        self._keeper = Keeper(api, place, clock)
        self._serving = serving
        self._problem = "not loaded"

    def problem(self) -> str:
        """'' when the served certificate is one that the API server trusts."""
        return self._problem

    async def run(self) -> None:
        while True:
            well = await self.look()
            await asyncio.sleep(LOOK_SECONDS if well else RETRY_SECONDS)

    async def look(self) -> bool:
        """Whether all is well; every fault is logged, shown by readiness and tried again, and the old pair served on."""
        try:
            kept = await self._keeper.look()
            self._serving.use(kept.material.serving.certificate, kept.material.serving.key)
        except (ApiError, BadCertificate) as error:
            LOG.warning("certificate not kept: %s", error)
            self._problem = "" if self._serving.loaded and not self._problem else str(error)
            return False
        self._problem = _unready(kept)
        return not self._problem


def _unready(kept: Kept) -> str:
    return "" if kept.trusted else "a webhook configuration does not hold the CA (missing, or no right to patch it)"
