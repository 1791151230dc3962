"""Keeps PolicyReports, where that CRD is served: asked anew at every scan, since it may come and go."""

import logging
from typing import Final

from controller.policy.census import Census
from controller.policy.report import LABEL, OWNER, Change, changes
from shared.kinds import POLICYREPORT
from shared.kube.client.api import Api
from shared.kube.client.errors import ApiError, Forbidden, NotFound

LOG: Final = logging.getLogger(__name__)


class Reports:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._complained = False

    async def write(self, census: Census, now: float) -> None:
        """Make the reports say what the scan found. One that cannot be written waits for the next scan."""
        try:
            stored = [body async for body in self._api.list(POLICYREPORT, label_selector=f"{LABEL}={OWNER}")]
        except NotFound:
            return
        except Forbidden as error:
            if not self._complained:
                self._complained = True
                LOG.warning("no PolicyReports: %s", error.message)
            return
        for change in changes(census, stored, now):
            try:
                await self._write(change)
            except ApiError as error:
                namespace = change.body["metadata"]["namespace"]
                LOG.warning("a PolicyReport waits", extra={"namespace": namespace, "error": error.message})

    async def _write(self, change: Change) -> None:
        metadata = change.body["metadata"]
        match change.verb:
            case "create":
                await self._api.create(POLICYREPORT, change.body)
            case "replace":
                await self._api.replace(POLICYREPORT, change.body)
            case _:
                await self._api.delete(
                    POLICYREPORT, metadata["namespace"], metadata["name"], uid=metadata.get("uid", "")
                )
