"""Reads the stored reports of this controller. Asked on every scan, because the CRDs may come and go."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from controller.policy.report import LABEL, OWNER
from shared.kinds import CLUSTERREPORT, POLICYREPORT, REPORT, Kind
from shared.kube.client.errors import Forbidden, NotFound
from shared.kube.client.reader import ApiReader
from shared.model.types import Body

LOG: Final = logging.getLogger(__name__)
KINDS: Final = (REPORT, CLUSTERREPORT, POLICYREPORT)


class StoredReports:
    def __init__(self, api: ApiReader) -> None:
        self._api = api
        self._warned: set[Kind] = set()

    async def by_kind(self) -> Mapping[Kind, Sequence[Body]]:
        """Our reports of each kind that the cluster serves and lets us read. Raises ApiError for every other failure."""
        found = {kind: await self._list(kind) for kind in KINDS}
        return {kind: bodies for kind, bodies in found.items() if bodies is not None}

    async def _list(self, kind: Kind) -> list[Body] | None:
        try:
            return [body async for body in self._api.list(kind, label_selector=f"{LABEL}={OWNER}")]
        except NotFound:
            return None
        except Forbidden as error:
            if kind not in self._warned:
                self._warned.add(kind)
                LOG.warning("%ss are not written: %s", kind.kind, error.message)
            return None
