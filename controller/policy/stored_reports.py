"""Reads the stored PolicyReports of this controller. Asked on every scan, because the CRD may come and go."""

import logging
from typing import Final

from controller.policy.report import LABEL, OWNER
from shared.kinds import POLICYREPORT
from shared.kube.client.errors import Forbidden, NotFound
from shared.kube.client.reader import ApiReader
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)


class StoredReports:
    def __init__(self, api: ApiReader) -> None:
        self._api = api
        self._warned = False

    async def list(self) -> list[Body] | None:
        """The stored reports; None when the cluster does not serve PolicyReports or forbids reading them.

        Raises ApiError for every other failure.
        """
        try:
            return [body async for body in self._api.list(POLICYREPORT, label_selector=f"{LABEL}={OWNER}")]
        except NotFound:
            return None
        except Forbidden as error:
            if not self._warned:
                self._warned = True
                LOG.warning("PolicyReports are not written: %s", error.message)
            return None
